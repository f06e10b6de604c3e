package errs

var catalogueBilling = []Entry{
	{"ratecard.too_large", 413, "A rate card has at most {limit} MB.", "حجم بطاقة الأسعار لا يتجاوز {limit} ميغابايت."},
	{"ratecard.too_many_rows", 422, "The file has more than {limit} rows. Nothing was kept.", "في الملف أكثر من {limit} صف. لم يُحفظ شيء."},
	{"ratecard.column_unknown", 422, "These columns are not known: {name}. A rate card has {columns}.", "أعمدة غير معروفة: {name}. أعمدة بطاقة الأسعار هي {columns}."},
	{"ratecard.column_missing", 422, "The column {name} is missing. A rate card has {columns}; the last two may both be left out.", "العمود {name} ناقص. أعمدة بطاقة الأسعار هي {columns}، ويمكن ترك الأخيرين معاً."},
	{"ratecard.rows", 422, "The file has faults in {n} values. Correct them and upload it again; nothing was kept.", "في الملف أخطاء في {n} من القيم. صحّحها وارفعه من جديد، لم يُحفظ شيء."},
	{"ratecard.rows_more", 422, "The file has more than {n} faults; these are the first. Nothing was kept.", "في الملف أكثر من {n} خطأ وهذه أوائلها. لم يُحفظ شيء."},
	{"ratecard.market", 422, "{got} is no country and no market of Meta's. Write a country by its English name or code, or a region as Meta's card does.", "{got} ليست دولة ولا سوقاً من أسواق Meta. اكتب الدولة باسمها الإنجليزي أو رمزها، أو المنطقة كما في بطاقة Meta."},
	{"ratecard.category", 422, "{got} is no category. Use one of {categories}.", "{got} ليست فئة. استخدم إحدى الفئات {categories}."},
	{"ratecard.currency", 422, "{got} is no currency. Use its three letters, such as SAR.", "{got} ليست عملة. استخدم رمزها من ثلاثة أحرف مثل SAR."},
	{"ratecard.currency_mixed", 422, "This row is in {got}, the ones before are in {currency}. Upload one file for each currency.", "هذا الصف بعملة {got} وما قبله بعملة {currency}. ارفع ملفاً لكل عملة."},
	{"ratecard.rate", 422, "{got} is no price. Write it like 0.0384, from 0 to {max}, with at most six places.", "{got} ليس سعراً. اكتبه مثل 0.0384 من 0 إلى {max} وبست منازل على الأكثر."},
	{"ratecard.volume", 422, "{got} is no count of messages. Write digits only.", "{got} ليس عدد رسائل. اكتب أرقاماً فقط."},
	{"ratecard.volume_order", 422, "The tier ends at {got}, before it begins at {from}.", "تنتهي الشريحة عند {got} قبل أن تبدأ عند {from}."},
	{"ratecard.twice", 422, "The same market, category and tier stand in row {first} already.", "السوق والفئة والشريحة نفسها موجودة في الصف {first}."},
	{"ratecard.tier_overlap", 422, "This tier begins at {got}, within the tier of row {row}.", "تبدأ هذه الشريحة عند {got} داخل شريحة الصف {row}."},
	{"ratecard.tier_gap", 422, "This tier begins at {got}; the messages from {want} on would have no price.", "تبدأ هذه الشريحة عند {got} فتبقى الرسائل من {want} بلا سعر."},
	{"ratecard.valid_from", 422, "{got} is no day. Write it like 2026-10-01.", "{got} ليس يوماً. اكتبه مثل 2026-10-01."},
	{"ratecard.valid_from_range", 422, "The first day must be from {earliest} to {latest}.", "يجب أن يكون أول يوم من {earliest} إلى {latest}."},
}
