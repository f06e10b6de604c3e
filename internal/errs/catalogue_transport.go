package errs

var catalogueTransport = []Entry{
	{"campaign.transport", 422, "The transport is cloud or marketing_messages.", "طريقة الإرسال هي cloud أو marketing_messages."},
	{"campaign.product_policy", 422, "The product policy is CLOUD_API_FALLBACK or STRICT, and goes with the transport marketing_messages alone.", "سياسة الإرسال هي CLOUD_API_FALLBACK أو STRICT، ومع طريقة الإرسال marketing_messages وحدها."},
	{"campaign.activity_sharing", 422, "Activity sharing goes with the transport marketing_messages alone.", "مشاركة النشاط ممكنة مع طريقة الإرسال marketing_messages وحدها."},
	{"campaign.transport_category", 422, "The Marketing Messages API carries marketing templates only; this template is {category}. Send it through the Cloud API.", "لا تحمل واجهة رسائل التسويق إلا القوالب التسويقية، وفئة هذا القالب {category}. أرسله عبر الواجهة السحابية."},
	{"campaign.not_onboarded", 409, "The account is not set up for the Marketing Messages API yet; Meta says {status}. An administrator of the business accepts Meta's terms in WhatsApp Manager, which nobody can do from here; it is noticed within 15 minutes, or when the templates are fetched again. Or send the campaign through the Cloud API.", "لم يُهيّأ الحساب لواجهة رسائل التسويق بعد، وحالته لدى Meta هي {status}. يقبل مسؤول في النشاط التجاري شروط Meta في مدير واتساب، ولا يمكن ذلك من هنا؛ يُعرف ذلك خلال 15 دقيقة أو عند تحديث القوالب. أو أرسل الحملة عبر الواجهة السحابية."},
	{"campaign.ineligible", 409, "Meta does not offer the Marketing Messages API to this account ({status}). Send the campaign through the Cloud API.", "لا تتيح Meta واجهة رسائل التسويق لهذا الحساب ({status}). أرسل الحملة عبر الواجهة السحابية."},
	{"campaign.cloud_marketing_off", 409, "The account takes no marketing templates through the Cloud API. Choose the Marketing Messages API, or switch them on again in WhatsApp Manager.", "لا يقبل الحساب قوالب تسويقية عبر الواجهة السحابية. اختر واجهة رسائل التسويق، أو أعد تفعيلها في مدير واتساب."},
	{"campaign.warn_onboarding_unknown", 422, "Meta has not told whether the account is set up for the Marketing Messages API. If it is not, the campaign stops at its first message (134102).", "لم تذكر Meta ما إذا كان الحساب مهيأً لواجهة رسائل التسويق. إن لم يكن كذلك توقفت الحملة عند أول رسالة (134102)."},
}
