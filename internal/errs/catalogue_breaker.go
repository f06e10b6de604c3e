package errs

var catalogueBreaker = []Entry{
	{"breaker.settings", 422, "These settings cannot be used. Each fault names its place.", "لا يمكن استخدام هذه الإعدادات. كل خطأ يذكر موضعه."},
	{"breaker.out_of_limits", 422, "{got} is not possible: your operator permits {least} to {most}.", "{got} غير ممكن: يسمح مشغّل الخدمة بما بين {least} و{most}."},
	{"breaker.unknown_value", 422, "There is no {got}. Possible are: {values}.", "لا توجد القيمة {got}. الممكن: {values}."},
	{"breaker.wave_shares", 422, "Give at most eight shares, each larger than the one before.", "أعطِ ثماني نسب على الأكثر، كل واحدة أكبر من التي قبلها."},
	{"breaker.not_optional", 422, "{got} cannot be switched off: your operator does not permit it.", "لا يمكن إيقاف {got}: لا يسمح مشغّل الخدمة بذلك."},
	{"breaker.wave_longest", 422, "{got} minutes is shorter than the shortest wait of {wait} minutes.", "{got} دقيقة أقصر من أقل انتظار وهو {wait} دقيقة."},
	{"campaign.held_changed", 409, "You expect {expected} dropped messages, {open} are there now. Look at them again and decide with that figure.", "تتوقع {expected} رسالة أسقطتها Meta والموجود منها الآن {open}. انظر إليها من جديد ثم قرّر بهذا العدد."},
	{"campaign.held_expected", 422, "Say how many dropped messages you expect: 1 or more.", "اذكر عدد الرسائل التي أسقطتها Meta كما تتوقعها: 1 أو أكثر."},
}
