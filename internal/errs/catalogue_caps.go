package errs

var catalogueCaps = []Entry{
	{"caps.settings", 422, "These sending rules cannot be used. Each fault names its place.", "لا يمكن استخدام قواعد الإرسال هذه. كل خطأ يذكر موضعه."},
	{"caps.range", 422, "{got} is not possible. Use {min} to {max}.", "{got} غير ممكن. استخدم ما بين {min} و{max}."},
	{"caps.country", 422, "{got} is no country. Use its two letters (ISO 3166-1), such as KP.", "{got} ليس رمز دولة. استخدم رمزها من حرفين (ISO 3166-1) مثل KP."},
	{"caps.reason", 422, "Say why the campaign may pass the rule, in {min} to {max} characters. The reason is kept in the audit.", "اذكر سبب السماح للحملة بتجاوز القاعدة في {min} إلى {max} حرفاً. يُحفظ السبب في سجل التدقيق."},
	{"budget.amount", 422, "A budget is an amount above zero, at most {max}.", "الميزانية مبلغ أكبر من الصفر، ولا تتجاوز {max}."},
	{"budget.currency", 422, "The budget is {budget}, the prices are in {currency}: they cannot be compared. Set the budget in {currency}.", "الميزانية {budget} والأسعار بعملة {currency}، فلا يمكن مقارنتها. حدّد الميزانية بعملة {currency}."},
	{"budget.over_campaign", 409, "The estimate of {estimate} is above the campaign's budget of {budget}. Raise the budget, or send to fewer people.", "التقدير {estimate} أعلى من ميزانية الحملة {budget}. ارفع الميزانية أو أرسل إلى عدد أقل."},
	{"budget.over_month", 409, "The estimate of {estimate} is above what is left of the month's budget: {left} of {budget}. Raise the budget, send to fewer people, or wait for the next month.", "التقدير {estimate} أعلى من المتبقي من ميزانية الشهر: {left} من {budget}. ارفع الميزانية أو أرسل إلى عدد أقل أو انتظر الشهر القادم."},
	{"budget.holds", 422, "The budget holds this sending. It goes on when the budget is raised or taken away.", "الميزانية تحتجز هذا الإرسال، ويتابع عند رفعها أو إزالتها."},
	{"budget.no_price", 422, "{n} messages have no known price, so the budget of {budget} does not hold them. Upload a rate card that has their countries.", "{n} رسالة بلا سعر معروف، فلا تشملها الميزانية {budget}. ارفع بطاقة أسعار فيها بلدانها."},
}
