package errs

// Codes of what is decided about a portfolio's messaging limit.
var cataloguePortfolios = []Entry{
	{"portfolio.not_kept", 403, "This portfolio is shared. Its settings are kept by the workspace that connected it first.", "هذه المحفظة مشتركة، وإعداداتها بيد مساحة العمل التي ربطتها أولاً."},
	{"portfolio.reserve", 422, "The part kept free is between 0 and {max} of the limit: at most {percent}%.", "الجزء المحجوز بين 0 و{max} من الحد، أي {percent}% على الأكثر."},
	{"portfolio.shares_too_large", 422, "All shares together may keep {most} places at most. Make a share or the reserve smaller.", "يمكن للحصص كلها أن تحجز {most} مكاناً على الأكثر. صغّر حصة أو الجزء المحجوز."},
	{"portfolio.share_name", 422, "The name of a share is 1 to 40 small letters, digits, hyphens and underscores.", "اسم الحصة من 1 إلى 40 من الأحرف اللاتينية الصغيرة والأرقام والشرطات."},
	{"portfolio.share_places", 422, "A share keeps between {min} and {max} places.", "تحجز الحصة بين {min} و{max} مكاناً."},
	{"portfolio.kind", 422, "A share may serve these kinds of messages: {kinds}. Campaigns name their share themselves.", "يمكن أن تخدم الحصة هذه الأنواع من الرسائل: {kinds}. أما الحملات فتسمّي حصتها بنفسها."},
	{"portfolio.kind_taken", 422, "Messages of the kind {kind} take from the share {share} already.", "رسائل النوع {kind} تأخذ من الحصة {share} بالفعل."},
	{"campaign.priority", 422, "The priority is one of: {priorities}.", "الأولوية واحدة من: {priorities}."},
	{"campaign.share_unknown", 422, "The portfolio of this campaign's number has no share named {share}.", "لا توجد حصة باسم {share} في محفظة رقم هذه الحملة."},
}
