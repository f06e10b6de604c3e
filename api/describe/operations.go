package describe

import "slices"

// words are what a person reads of one operation: its stable name (camelCase,
// verb and noun, never changed once published), its group, what the summary
// does not say, and the problems that are its own (see Codes for the rest).
type words struct {
	route string
	id    string
	tag   string
	about string
	codes []string
}

// operations is the whole table, one entry for each described row of
// api/routes.go.
func operations() []words {
	return slices.Concat(platform(), account(), people(), sending(), rules(), money(), caps())
}

func platform() []words {
	return []words{
		{"GET /healthz", "checkHealth", "Platform", "Answers as long as the process serves at all.", nil},
		{"GET /readyz", "checkReadiness", "Platform", "503 names the part that does not answer.", nil},
		{"GET /openapi.json", "getDescription", "Platform", "OpenAPI 3.1; the same document is shown under /docs.", nil},
		{"GET /webhooks/meta/{app}", "verifyWebhook", "Webhooks", "Meta sends hub.verify_token; the challenge comes back when it is the app's.",
			[]string{"webhook.verify_token", "webhook.challenge"}},
		{"POST /webhooks/meta/{app}", "receiveWebhook", "Webhooks", "X-Hub-Signature-256 is an HMAC over the raw bytes with the app's secret. 200 is written after the commit.",
			[]string{"webhook.signature", "webhook.too_large", "webhook.encoding", "webhook.unavailable"}},
	}
}

func account() []words {
	return []words{
		{"POST /v1/sessions", "createSession", "Sessions", "The session travels in a cookie. Tries are limited by address and by account.",
			[]string{"auth.sign_in_failed", "auth.too_many_tries", "ref.not_found", "csrf"}},
		{"PATCH /v1/sessions/current", "updateSession", "Sessions", "A key has one workspace and cannot do this.", []string{"auth.not_by_key", "ref.not_found", "not_found"}},
		{"DELETE /v1/sessions/current", "deleteSession", "Sessions", "Ends the session of this request.", []string{"auth.not_by_key"}},
		{"GET /v1/me", "getSelf", "Workspace", "The quickest way to try a key.", nil},
		{"PUT /v1/me/password", "updatePassword", "Sessions", "The present password is asked for. Every session of the person ends, this one too.",
			[]string{"auth.not_by_key", "password.wrong", "password.short", "password.long", "password.common", "password.company"}},
		{"GET /v1/workspace", "getWorkspace", "Workspace", "The ETag goes back as If-Match of a change.", nil},
		{"PATCH /v1/workspace", "updateWorkspace", "Workspace", "What is left out stays. If-Match is needed.", []string{"version.required", "version.stale", "name.taken", "zone.unknown"}},
		{"GET /v1/api-keys", "listApiKeys", "API keys", "Revoked ones too, with the time.", nil},
		{"POST /v1/api-keys", "createApiKey", "API keys", "Keep the secret: only a hash of it is stored.", []string{"scope.unknown", "name.taken", "field.past"}},
		{"DELETE /v1/api-keys/{key}", "revokeApiKey", "API keys", "From the next request on it is refused.", nil},
		{"GET /v1/members", "listMembers", "Members", "", nil},
		{"POST /v1/members", "addMember", "Members", "Somebody who has an account is added with it; for somebody new the password is needed.",
			[]string{"email.invalid", "email.taken", "member.exists", "member.owner_only", "password.short", "password.long", "password.common", "password.company"}},
		{"GET /v1/members/{user}", "getMember", "Members", "The ETag goes back as If-Match of a change.", nil},
		{"PATCH /v1/members/{user}", "updateMember", "Members", "If-Match is needed. A workspace keeps at least one owner.",
			[]string{"version.required", "version.stale", "member.last_owner", "member.owner_only"}},
		{"DELETE /v1/members/{user}", "removeMember", "Members", "Keys that the person made here end too.", []string{"member.last_owner", "member.owner_only"}},
		{"GET /v1/audit", "listAudit", "Audit", "Sealed into a chain, so that nothing can be taken out unseen.", nil},
	}
}

func people() []words {
	upload := []string{"upload.content_type", "upload.too_large", "upload.too_slow", "upload.interrupted", "upload.compressed", "multipart.syntax",
		"multipart.no_file", "multipart.one_file_only", "multipart.too_many_parts", "import.settings", "import.settings_late", "import.country",
		"import.mode", "import.encoding", "import.delimiter", "import.mapping_twice", "import.mapping_unknown", "import.duplicate",
		"import.audience_deleted", "import.strict", "import.no_opt_in_column", "csv.empty", "csv.not_csv", "csv.is_spreadsheet", "csv.encoding", "csv.delimiter",
		"csv.header_missing", "csv.header_duplicate", "csv.header_name", "csv.header_missing_column", "csv.header_quote", "csv.too_many_columns",
		"csv.no_rows", "consent.covers", "consent.purpose", "consent.method", "consent.source_missing", "consent.source_long", "consent.wording_missing",
		"consent.wording_business", "consent.wording_whatsapp", "consent.wording_long", "consent.date", "consent.date_future", "param.unknown"}
	consent := []string{"consent.purpose", "consent.method", "consent.source_missing", "consent.source_long", "consent.wording_missing",
		"consent.wording_business", "consent.wording_whatsapp", "consent.wording_long", "consent.date", "consent.date_future", "phone.invalid",
		"phone.no_country", "phone.missing", "phone.multiple", "phone.scientific", "phone.bsuid", "phone.is_sender", "ref.not_found", "field.required", "import.country"}
	return []words{
		{"GET /v1/audiences", "listAudiences", "Audiences", "", nil},
		{"POST /v1/audiences", "createAudience", "Audiences", "Fill it by an import.", []string{"name.taken", "field.required", "field.too_long", "field.characters"}},
		{"GET /v1/audiences/{audience}", "getAudience", "Audiences", "", nil},
		{"DELETE /v1/audiences/{audience}", "deleteAudience", "Audiences", "Refused while a campaign that is not over uses it.", []string{"resource.in_use"}},
		{"GET /v1/audiences/{audience}/imports", "listImports", "Imports", "Newest first.", nil},
		{"POST /v1/audiences/{audience}/imports", "createImport", "Imports", "The file as the body with settings in the query, or a form with settings before the file. Up to 256 MB, a million rows. Nobody becomes messageable without the opt-in the settings declare.", upload},
		{"GET /v1/imports/{import}", "getImport", "Imports", "rows = created + updated + unchanged + merged + rejected, when it is completed.", nil},
		{"GET /v1/imports/{import}/rejects", "listRejects", "Imports", "Each with row, line, column, a code and a sentence.", nil},
		{"GET /v1/imports/{import}/rejects.csv", "exportRejects", "Imports", "The rows as they were, with the reason in a column of its own; correct them and upload the file again.", nil},
		{"GET /v1/jobs/{job}", "getJob", "Jobs", "Ask again until state is completed, failed or cancelled.", nil},
		{"GET /v1/contacts", "listContacts", "Contacts", "Phone numbers are masked for those who may not see them.", nil},
		{"GET /v1/contacts/{contact}", "getContact", "Contacts", "One permission for each purpose.", nil},
		{"GET /v1/contacts/{contact}/consents", "listConsents", "Consents", "Nothing is ever removed from it.", nil},
		{"POST /v1/contacts/{contact}/opt-out", "optOutContact", "Consents", "Holds before the next message leaves, also for campaigns that run.",
			[]string{"consent.purpose", "consent.method", "consent.source_long", "consent.date", "consent.date_future"}},
		{"POST /v1/consents", "recordConsent", "Consents", "An opt-in makes the contact when it is new. An opt-out holds for numbers nobody knows yet.", consent},
	}
}

func sending() []words {
	definition := []string{"campaign.name_taken", "ref.not_found", "template.not_sendable", "template.unsupported", "template.params", "number.cannot_send",
		"number.unavailable", "variables.unused", "variables.value", "attr.not_sendable", "attr.too_long", "rate.range", "rate.both", "rate.finish", "campaign.unknown_policy",
		"campaign.transport", "campaign.product_policy", "campaign.activity_sharing", "campaign.transport_category",
		"schedule.syntax", "schedule.zone_required", "schedule.zone_unknown", "schedule.past", "schedule.too_far", "schedule.both", "schedule.never",
		"schedule.too_frequent", "schedule.range", "schedule.weekdays", "schedule.month_day", "schedule.window_empty", "schedule.lateness", "field.required", "field.too_long", "field.too_many", "field.duplicate"}
	return append([]words{
		{"GET /v1/campaigns", "listCampaigns", "Campaigns", "", []string{"campaign.state_unknown"}},
		{"POST /v1/campaigns", "createCampaign", "Campaigns", "Nothing is sent before a launch.", definition},
		{"GET /v1/campaigns/{campaign}", "getCampaign", "Campaigns", "The ETag goes back as If-Match of a change.", nil},
		{"PATCH /v1/campaigns/{campaign}", "updateCampaign", "Campaigns", "Only a draft can be changed. Left out: stays; null: taken away.",
			append([]string{"version.required", "version.stale", "campaign.state"}, definition...)},
		{"DELETE /v1/campaigns/{campaign}", "deleteCampaign", "Campaigns", "What was launched stays for ever.", []string{"campaign.state"}},
		{"POST /v1/campaigns/{campaign}/duplicate", "duplicateCampaign", "Campaigns", "The name with (copy) behind it, the same message, audiences and delivery, in any state of the first. Deleted audiences and a time that has passed are left out.",
			[]string{"campaign.name_taken"}},
		{"POST /v1/campaigns/{campaign}/check", "checkCampaign", "Campaigns", "A job; its figure of eligible people is what a launch needs.", append([]string{"campaign.state"}, definition...)},
		{"GET /v1/campaigns/{campaign}/checks/{check}", "getCheck", "Campaigns", "Who is left out is counted by reason.", nil},
		{"GET /v1/campaigns/{campaign}/checks/{check}/rows.csv", "exportCheck", "Campaigns", "One row for each person; reason is empty for those who would get the message.",
			[]string{"check.not_completed", "check.replaced"}},
		{"POST /v1/campaigns/{campaign}/launch", "launchCampaign", "Campaigns", "expected_recipients must be the newest check's figure, so that nobody launches at more people than they saw.",
			append([]string{"campaign.state", "campaign.check_missing", "campaign.check_outdated", "campaign.audience_changed", "campaign.recipients_changed", "campaign.no_recipients",
				"campaign.template_changed", "campaign.quality_unconfirmed", "campaign.blocked_by_meta", "campaign.blocked_by_meta_unsaid",
				"campaign.not_onboarded", "campaign.ineligible", "campaign.cloud_marketing_off",
				"budget.over_campaign", "budget.over_month", "budget.currency"}, definition...)},
		{"POST /v1/campaigns/{campaign}/pause", "pauseCampaign", "Campaigns", "", []string{"campaign.state"}},
		{"POST /v1/campaigns/{campaign}/resume", "resumeCampaign", "Campaigns", "A rule's stop is cleared only when it is named, with a reason.",
			[]string{"campaign.state", "stop.not_clearable", "budget.holds", "ref.not_found", "auth.role", "field.required", "campaign.audience_changed",
				"template.unread", "template.changed_again", "template.other_parameters", "template.not_sendable", "campaign.transport_category"}},
		{"POST /v1/campaigns/{campaign}/stop", "stopCampaign", "Campaigns", "What has not left is suppressed with the reason; it cannot be taken back.", []string{"campaign.state"}},
	}, reporting()...)
}

func reporting() []words {
	connect := []string{"number.meta_id_invalid", "number.secret_invalid", "number.unknown_to_meta", "number.portfolio_unknown", "number.app_secret_wrong",
		"number.token_invalid", "number.other_app", "number.scope_missing", "number.not_allowed", "meta.unreachable"}
	return []words{
		{"GET /v1/campaigns/{campaign}/report", "getReport", "Reports", "total = suppressed + ready + sending + held + accepted + failed + unknown + unconfirmed, always.", []string{"campaign.not_launched"}},
		{"GET /v1/campaigns/{campaign}/firings", "listFirings", "Campaigns", "Newest first: the one that waits, those that were sent, and those that were missed, with why.", nil},
		{"GET /v1/campaigns/{campaign}/template", "getCampaignTemplate", "Campaigns", "What Meta changed since the check that was launched on, line by line. A difference holds the campaign; resume clears it and sends the template as it is.", []string{"campaign.not_launched"}},
		{"GET /v1/campaigns/{campaign}/recipients", "listRecipients", "Reports", "In the order of sending.", []string{"campaign.not_launched", "message.state_unknown"}},
		{"GET /v1/campaigns/{campaign}/events", "listEvents", "Reports", "", []string{"live.workspace_full", "live.full", "live.stopping"}},
		{"GET /v1/campaigns/{campaign}/unconfirmed", "getUnconfirmed", "Reports", "Messages that got no answer and no receipt within the horizon. Nothing sends them again by itself.", []string{"campaign.not_launched"}},
		{"POST /v1/campaigns/{campaign}/unconfirmed/resend", "resendUnconfirmed", "Reports", "A new attempt for each, past every gate, entered into the audit. Owners and admins only, since Meta may have accepted the first. expected must be the figure that is open.",
			[]string{"campaign.not_launched", "campaign.not_resendable", "campaign.unconfirmed_changed", "campaign.unconfirmed_expected"}},
		{"POST /v1/campaigns/{campaign}/unconfirmed/close", "closeUnconfirmed", "Reports", "They stay unconfirmed and are not offered again. A receipt that still comes counts.",
			[]string{"campaign.not_launched", "campaign.unconfirmed_changed", "campaign.unconfirmed_expected"}},
		{"GET /v1/campaigns/{campaign}/certificate", "getCertificate", "Reports", "Streamed, in constant memory, of one moment. bareed verify checks it without any server; docs/UNKNOWN.md says what it proves.",
			[]string{"campaign.not_launched", "certificate.busy"}},
		{"GET /v1/campaigns/{campaign}/differences", "getDifferences", "Reports", "Everybody of the check that was launched on beside everybody of the run, in groups of equal fates. check_eligible - not_reached + reached_besides = run_accepted, and as_checked + different = people. It reads the run whole: ask once, not every second. docs/FORECAST.md says what each fate means.",
			[]string{"campaign.not_launched"}},
		{"GET /v1/campaigns/{campaign}/differences/rows.csv", "exportDifferences", "Reports", "One row for each person who is in differences.", []string{"campaign.not_launched"}},
		{"GET /v1/error-codes", "getErrorCodes", "Messages", "The whole table in the caller's language, with what each code does to a message, its campaign and its person. A code that is not in it fails its message, and five in a row stop the campaign.", nil},
		{"GET /v1/messages/{message}", "getMessage", "Messages", "", nil},
		{"GET /v1/numbers", "listNumbers", "Numbers", "", nil},
		{"POST /v1/numbers", "connectNumber", "Numbers", "Secrets of Meta are a person's to enter; no key can.", append([]string{"number.unavailable", "number.already_connected"}, connect...)},
		{"GET /v1/numbers/{number}", "getNumber", "Numbers", "The ETag goes back as If-Match of a new token.", nil},
		{"GET /v1/numbers/{number}/growth", "planGrowth", "Numbers", "Meta raises the limit when half of it went to different people within seven days and the quality is high; Meta decides. docs/FORECAST.md has the rules.", nil},
		{"GET /v1/numbers/{number}/transports", "getTransports", "Numbers", "As Meta said last. Only a person of the business can set an account up, in WhatsApp Manager: it means to accept Meta's terms. docs/TRANSPORT.md has the words.", nil},
		{"PUT /v1/numbers/{number}/token", "updateToken", "Numbers", "If-Match is looked at when it is sent.", append([]string{"number.not_connected", "version.stale"}, connect...)},
		{"GET /v1/changes", "listChanges", "Numbers", "Quality, status, health, limits, categories, restrictions: every change that was found by asking Meta or told by it.", []string{"not_found"}},
		{"DELETE /v1/numbers/{number}", "disconnectNumber", "Numbers", "Refused while a campaign that is not over uses it.", []string{"resource.in_use", "number.not_connected"}},
		{"GET /v1/portfolios", "listPortfolios", "Portfolios", "Those in which the workspace has a connected number.", nil},
		{"GET /v1/portfolios/{portfolio}", "getPortfolio", "Portfolios", "", nil},
		{"PATCH /v1/portfolios/{portfolio}", "updatePortfolio", "Portfolios", "Of a portfolio that workspaces share, the one that connected it first keeps the settings. The shares must still fit.",
			[]string{"portfolio.reserve", "portfolio.shares_too_large", "portfolio.not_kept"}},
		{"PUT /v1/portfolios/{portfolio}/shares/{share}", "setShare", "Portfolios", "Its unused places stay free for those who name it; they may take open ones besides. All shares together fit into what is usable.",
			[]string{"portfolio.share_name", "portfolio.share_places", "portfolio.kind", "portfolio.kind_taken", "portfolio.shares_too_large", "portfolio.not_kept"}},
		{"DELETE /v1/portfolios/{portfolio}/shares/{share}", "dropShare", "Portfolios", "Campaigns that name it take open places from then on.", []string{"portfolio.not_kept"}},
		{"GET /v1/portfolios/{portfolio}/calendar", "getCalendar", "Portfolios", "Days begin in the workspace's zone. Other workspaces of the portfolio are one line. What is planned is at most that: people in an open service window need no place.",
			[]string{"zone.unknown"}},
		{"GET /v1/campaigns/{campaign}/priority", "getPriority", "Campaigns", "", nil},
		{"PUT /v1/campaigns/{campaign}/priority", "setPriority", "Campaigns", "What was already handed over stays. A campaign with a higher priority is left what its remaining people need.",
			[]string{"campaign.priority", "campaign.share_unknown", "campaign.state"}},
		{"GET /v1/templates", "listTemplates", "Templates", "", nil},
		{"POST /v1/templates/sync", "syncTemplates", "Templates", "", nil},
		{"GET /v1/templates/{template}", "getTemplate", "Templates", "", nil},
	}
}

// rules are what holds a campaign by rule.
func rules() []words {
	settings := []string{"version.required", "version.stale", "breaker.settings", "breaker.out_of_limits", "breaker.unknown_value", "breaker.wave_shares", "breaker.wave_longest", "breaker.not_optional"}
	return []words{
		{"GET /v1/breaker", "getBreaker", "Rules", "Every threshold in force and what the operator permits of it; docs/WAVES.md explains them. The ETag goes back as If-Match of a change.", nil},
		{"PUT /v1/breaker", "setBreaker", "Rules", "In place of what was set. For runs under way, what is stricter holds from the next second on; what is looser holds for runs that begin later. Owners and admins only.", settings},
		{"GET /v1/campaigns/{campaign}/breaker", "getCampaignBreaker", "Rules", "What it sets itself lies over the workspace's. Of that, a run under way goes by what held when it began and what became stricter since.", nil},
		{"PUT /v1/campaigns/{campaign}/breaker", "setCampaignBreaker", "Rules", "waves never opens what is left of a campaign under way. Owners and admins only.", settings},
		{"GET /v1/campaigns/{campaign}/waves", "getWaves", "Rules", "Which wave is open, when the next one may open and what it waits for; each rule with its threshold and what is measured; warnings, which hold nothing.", []string{"campaign.not_launched"}},
		{"GET /v1/campaigns/{campaign}/held", "getHeld", "Rules", "Meta holds the messages of a new template until it has judged the first ones.", []string{"campaign.not_launched"}},
		{"POST /v1/campaigns/{campaign}/held/return", "returnHeld", "Rules", "A new attempt for each that Meta dropped, past every gate, entered into the audit. It clears no stop. expected must be the figure that is there. Owners and admins only.",
			[]string{"campaign.not_launched", "campaign.not_resendable", "campaign.held_changed", "campaign.held_expected"}},
	}
}
