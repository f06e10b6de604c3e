package errs

// Codes of numbers and templates, and of asking Meta about them.
var catalogueNumbers = []Entry{
	{"number.unavailable", 409, "This number cannot be connected here.", "لا يمكن ربط هذا الرقم هنا."},
	{"number.already_connected", 409, "This number is already connected as {number}. To change its token, use the token's own address.", "هذا الرقم مربوط بالفعل باسم {number}. لتغيير رمز الوصول استخدم عنوانه الخاص."},
	{"number.not_connected", 409, "This number is disconnected. Connect it again first.", "هذا الرقم غير مربوط. اربطه من جديد أولاً."},
	{"number.cannot_send", 409, "Meta does not let this number send: its status is {status}.", "لا تسمح Meta لهذا الرقم بالإرسال: حالته {status}."},
	{"number.meta_id_invalid", 422, "An id from Meta is digits only, 32 at most. Copy it from the App Dashboard or WhatsApp Manager.", "المعرّف من Meta أرقام فقط ولا يتجاوز 32 رقماً. انسخه من لوحة التطبيق أو من مدير واتساب."},
	{"number.secret_invalid", 422, "This does not look like a secret from Meta: it is empty, too short or has blanks in it.", "هذا لا يشبه رمزاً سرياً من Meta: فهو فارغ أو قصير جداً أو فيه مسافات."},
	{"number.unknown_to_meta", 422, "Meta knows no such number in this WhatsApp account. Check both ids.", "لا تعرف Meta رقماً كهذا في حساب واتساب هذا. تحقق من المعرّفين."},
	{"number.portfolio_unknown", 422, "Meta did not say which business portfolio owns this account, so its messaging limit cannot be kept. Give the token access to the business and try again.", "لم تذكر Meta محفظة الأعمال التي تملك هذا الحساب، فلا يمكن مراعاة حد المراسلة. امنح رمز الوصول صلاحية على النشاط التجاري وحاول مرة أخرى."},
	{"number.app_secret_wrong", 422, "Meta refused this app id and app secret together. Copy both from the App Dashboard.", "رفضت Meta معرّف التطبيق مع سره. انسخ كليهما من لوحة التطبيق."},
	{"number.token_invalid", 422, "Meta refuses this access token. Create a new one for the system user.", "ترفض Meta رمز الوصول هذا. أنشئ رمزاً جديداً لمستخدم النظام."},
	{"number.other_app", 422, "This access token belongs to another app than the one given.", "رمز الوصول هذا يخص تطبيقاً غير المذكور."},
	{"number.scope_missing", 422, "This access token lacks the permission {scope}.", "ينقص رمز الوصول هذا الإذن {scope}."},
	{"number.not_allowed", 422, "Meta does not let this access token see the account. Assign the account to the system user.", "لا تسمح Meta لرمز الوصول هذا برؤية الحساب. أسند الحساب إلى مستخدم النظام."},
	{"meta.unreachable", 503, "Meta did not answer. Nothing was changed; try again in a minute.", "لم تجب Meta. لم يتغير شيء، حاول بعد دقيقة."},
	{"template.not_sendable", 422, "This template cannot be sent: its status is {status}.", "لا يمكن إرسال هذا القالب: حالته {status}."},
	{"template.unsupported", 422, "This template has a part that cannot be filled here: {part}.", "في هذا القالب جزء لا يمكن ملؤه هنا: {part}."},
	{"template.params", 422, "The parameter {parameter} of the template has no value.", "لا قيمة للمتغير {parameter} في القالب."},
	{"attr.not_sendable", 422, "WhatsApp cannot send this value as {parameter} ({why}). Line breaks, tabs, five spaces in a row and overlong texts are refused.", "لا يستطيع واتساب إرسال هذه القيمة في {parameter} ({why}). تُرفض أسطر جديدة وعلامات الجدولة وخمس مسافات متتالية والنصوص الطويلة جداً."},
	{"webhook.signature", 401, "The signature of this request is missing or wrong.", "توقيع هذا الطلب مفقود أو غير صحيح."},
	{"webhook.verify_token", 403, "The verify token is wrong.", "رمز التحقق غير صحيح."},
	{"webhook.challenge", 400, "The challenge is missing or too long.", "رمز التحدي مفقود أو طويل جداً."},
	{"webhook.too_large", 413, "The body is larger than {max} bytes.", "المحتوى أكبر من {max} بايت."},
	{"webhook.encoding", 415, "A compressed body is not accepted.", "لا يُقبل محتوى مضغوط."},
	{"webhook.unavailable", 503, "The event could not be stored. Send it again.", "تعذر حفظ الحدث. أعد إرساله."},
}
