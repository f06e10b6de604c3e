package api

import (
	"slices"

	"bareed/accounts"
	"bareed/api/caps"
	"bareed/api/money"
	"bareed/api/outcomes"
	"bareed/api/portfolios"
	"bareed/api/waves"
)

// routes is the one table of what can be called. A route that is registered
// without a row stops the program's start, a row without a route fails a test.
func routes() []route {
	return slices.Concat(platformRoutes(), operatorRoutes(), accountRoutes(), contactRoutes(), campaignRoutes(), outcomes.Routes(), waves.Routes(), money.Routes(), caps.Routes(), numberRoutes(), portfolios.Routes(), metaRoutes())
}

// platformRoutes are for those who run the process.
func platformRoutes() []route {
	return []route{
		{Route: "GET /healthz", Public: true, Status: 200, Doc: "Is the process alive"},
		{Route: "GET /readyz", Public: true, Status: 200, Doc: "Can it do its work, and if not, what is missing"},
		{Route: "GET /openapi.json", Public: true, Status: 200, Doc: "This description"},
		{Route: "GET /docs", Public: true, Status: 200},
		{Route: "GET /docs/quickstart", Public: true, Status: 200},
		{Route: "GET /docs/quickstart.md", Public: true, Status: 200},
		{Route: "GET /docs/assets/*path", Public: true, Status: 200},
	}
}

// operatorRoutes are pages for operators; nobody else learns that they exist.
func operatorRoutes() []route {
	return []route{
		{Route: "GET /ops/queues/*path", Operator: true, Status: 200},
	}
}

// accountRoutes are about credentials, people and the workspace itself.
func accountRoutes() []route {
	return []route{
		{Route: "POST /v1/sessions", Public: true, Status: 201, Doc: "Sign in"},
		{Route: "PATCH /v1/sessions/current", Action: accounts.ReadSelf, Open: true, Status: 200, Doc: "Use another of one's workspaces"},
		{Route: "DELETE /v1/sessions/current", Action: accounts.ReadSelf, Open: true, Status: 204, Doc: "Sign out"},
		{Route: "GET /v1/me", Action: accounts.ReadSelf, Open: true, Status: 200, Doc: "Whose credential this is and what it may do"},
		{Route: "PUT /v1/me/password", Action: accounts.ReadSelf, Open: true, Status: 204, Doc: "Change one's password; every session ends"},
		{Route: "GET /v1/workspace", Action: accounts.ReadWorkspace, Status: 200, Doc: "The workspace's settings"},
		{Route: "PATCH /v1/workspace", Action: accounts.WriteWorkspace, Status: 200, Doc: "Change settings"},
		{Route: "GET /v1/api-keys", Action: accounts.ReadKeys, Status: 200, Doc: "List API keys, never the keys themselves"},
		{Route: "POST /v1/api-keys", Action: accounts.WriteKeys, Status: 201, Doc: "Make an API key; it is shown once"},
		{Route: "DELETE /v1/api-keys/{key}", Action: accounts.WriteKeys, Status: 204, Object: "key", Doc: "Revoke an API key"},
		{Route: "GET /v1/members", Action: accounts.ReadMembers, Status: 200, Doc: "List members and their roles"},
		{Route: "POST /v1/members", Action: accounts.WriteMembers, Status: 201, Doc: "Add a member"},
		{Route: "GET /v1/members/{user}", Action: accounts.ReadMembers, Status: 200, Object: "user", Doc: "A member"},
		{Route: "PATCH /v1/members/{user}", Action: accounts.WriteMembers, Status: 200, Object: "user", Doc: "Change a member's role"},
		{Route: "DELETE /v1/members/{user}", Action: accounts.WriteMembers, Status: 204, Object: "user", Doc: "Remove a member"},
		{Route: "GET /v1/audit", Action: accounts.ReadAudit, Status: 200, Doc: "What people and keys did, newest first"},
	}
}

// contactRoutes are about audiences, imports, people and what they agreed to.
func contactRoutes() []route {
	return []route{
		{Route: "GET /v1/audiences", Action: accounts.ReadContacts, Status: 200, Doc: "List audiences, newest first"},
		{Route: "POST /v1/audiences", Action: accounts.WriteContacts, Status: 201, Doc: "Make an empty audience"},
		{Route: "GET /v1/audiences/{audience}", Action: accounts.ReadContacts, Status: 200, Object: "audience", Doc: "An audience, its members and how many of them may be messaged"},
		{Route: "DELETE /v1/audiences/{audience}", Action: accounts.WriteContacts, Status: 204, Object: "audience", Doc: "Delete an audience; its contacts stay"},
		{Route: "GET /v1/audiences/{audience}/imports", Action: accounts.ReadContacts, Status: 200, Object: "audience", Doc: "List the files imported into an audience"},
		{Route: "POST /v1/audiences/{audience}/imports", Action: accounts.WriteContacts, Status: 202, Object: "audience", Key: true, Long: true, Doc: "Upload a CSV file; it is imported by a job"},
		{Route: "GET /v1/imports/{import}", Action: accounts.ReadContacts, Status: 200, Object: "import", Doc: "An import and what became of its rows"},
		{Route: "GET /v1/imports/{import}/rejects", Action: accounts.ReadContacts, Status: 200, Object: "import", Doc: "The rejected values, the first 1,000"},
		{Route: "GET /v1/imports/{import}/rejects.csv", Action: accounts.SeePhones, Status: 200, Object: "import", Long: true, Doc: "Every rejected value as a CSV file, as uploaded"},
		{Route: "GET /v1/jobs/{job}", Action: accounts.ReadWorkspace, Status: 200, Object: "job", Doc: "Work that outlasts a request: state, progress, result"},
		{Route: "GET /v1/contacts", Action: accounts.ReadContacts, Status: 200, Doc: "List contacts, newest first"},
		{Route: "GET /v1/contacts/{contact}", Action: accounts.ReadContacts, Status: 200, Object: "contact", Doc: "A contact and what they agreed to"},
		{Route: "GET /v1/contacts/{contact}/consents", Action: accounts.ReadContacts, Status: 200, Object: "contact", Doc: "The consent ledger of a contact, newest first"},
		{Route: "POST /v1/contacts/{contact}/opt-out", Action: accounts.WriteConsent, Status: 200, Object: "contact", Doc: "Record that a contact refuses"},
		{Route: "POST /v1/consents", Action: accounts.WriteConsent, Status: 201, Doc: "Record an opt-in or an opt-out"},
	}
}

// campaignRoutes are about campaigns and the messages of their runs.
func campaignRoutes() []route {
	return []route{
		{Route: "GET /v1/campaigns", Action: accounts.ReadCampaigns, Status: 200, Doc: "List campaigns, newest first"},
		{Route: "POST /v1/campaigns", Action: accounts.WriteCampaigns, Status: 201, Doc: "Make a draft"},
		{Route: "GET /v1/campaigns/{campaign}", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "A campaign with every open stop that holds it"},
		{Route: "PATCH /v1/campaigns/{campaign}", Action: accounts.WriteCampaigns, Status: 200, Object: "campaign", Doc: "Change a draft; If-Match is needed"},
		{Route: "DELETE /v1/campaigns/{campaign}", Action: accounts.WriteCampaigns, Status: 204, Object: "campaign", Doc: "Delete a draft"},
		{Route: "POST /v1/campaigns/{campaign}/duplicate", Action: accounts.WriteCampaigns, Status: 201, Object: "campaign", Doc: "Make a draft like it"},
		{Route: "POST /v1/campaigns/{campaign}/check", Action: accounts.WriteCampaigns, Status: 202, Object: "campaign", Doc: "Dry run: who would get the message, and why not"},
		{Route: "GET /v1/campaigns/{campaign}/checks/{check}", Action: accounts.ReadCampaigns, Status: 200, Object: "check", Doc: "The result of a dry run"},
		{Route: "GET /v1/campaigns/{campaign}/checks/{check}/rows.csv", Action: accounts.ReadCampaigns, Status: 200, Object: "check", Long: true, Doc: "Every person of a dry run as CSV"},
		{Route: "POST /v1/campaigns/{campaign}/launch", Action: accounts.LaunchCampaigns, Status: 202, Object: "campaign", Key: true, Doc: "Launch now or at a time; accepted, not delivered"},
		{Route: "POST /v1/campaigns/{campaign}/pause", Action: accounts.LaunchCampaigns, Status: 200, Object: "campaign", Doc: "Pause; at most one message per worker slot still leaves"},
		{Route: "POST /v1/campaigns/{campaign}/resume", Action: accounts.LaunchCampaigns, Status: 200, Object: "campaign", Doc: "Clear the pause, and rules' stops that are named"},
		{Route: "POST /v1/campaigns/{campaign}/stop", Action: accounts.LaunchCampaigns, Status: 200, Object: "campaign", Doc: "Stop for good"},
		{Route: "GET /v1/campaigns/{campaign}/report", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "The figures, and that they add up"},
		{Route: "GET /v1/campaigns/{campaign}/firings", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "When it fired and waits to fire"},
		{Route: "GET /v1/campaigns/{campaign}/template", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Doc: "The template as it was approved and as it is"},
		{Route: "GET /v1/campaigns/{campaign}/recipients", Action: accounts.ReadReports, Status: 200, Object: "campaign", Doc: "Every person's message"},
		{Route: "GET /v1/campaigns/{campaign}/events", Action: accounts.ReadCampaigns, Status: 200, Object: "campaign", Long: true, Doc: "What happened, numbered without gaps; also as server-sent events"},
		{Route: "GET /v1/error-codes", Action: accounts.ReadReports, Status: 200, Doc: "Meta's error codes: cause, what to do, whether a message is sent again"},
		{Route: "GET /v1/messages/{message}", Action: accounts.ReadReports, Status: 200, Object: "message", Doc: "One message with its times and attempts"},
	}
}

// numberRoutes are about what is connected at Meta.
func numberRoutes() []route {
	return []route{
		{Route: "GET /v1/numbers", Action: accounts.ReadNumbers, Status: 200, Doc: "List connected numbers with quality, limit and open stops"},
		{Route: "POST /v1/numbers", Action: accounts.WriteNumbers, Status: 201, Doc: "Connect a number; Meta is asked first"},
		{Route: "GET /v1/numbers/{number}", Action: accounts.ReadNumbers, Status: 200, Object: "number", Doc: "A number with what Meta changed of it"},
		{Route: "GET /v1/numbers/{number}/growth", Action: accounts.ReadNumbers, Status: 200, Object: "number", Doc: "Plan how the portfolio earns a higher messaging limit"},
		{Route: "GET /v1/numbers/{number}/transports", Action: accounts.ReadNumbers, Status: 200, Object: "number", Doc: "By which of Meta's ways the number's account can send marketing"},
		{Route: "PUT /v1/numbers/{number}/token", Action: accounts.WriteNumbers, Status: 200, Object: "number", Doc: "Replace the access token; Meta is asked first"},
		{Route: "DELETE /v1/numbers/{number}", Action: accounts.WriteNumbers, Status: 204, Object: "number", Doc: "Disconnect a number"},
		{Route: "GET /v1/templates", Action: accounts.ReadTemplates, Status: 200, Doc: "List the message templates of the workspace's accounts"},
		{Route: "POST /v1/templates/sync", Action: accounts.WriteTemplates, Status: 202, Doc: "Read numbers and templates from Meta again, within seconds"},
		{Route: "GET /v1/templates/{template}", Action: accounts.ReadTemplates, Status: 200, Object: "template", Doc: "A template with its parameters and history"},
		{Route: "GET /v1/changes", Action: accounts.ReadNumbers, Status: 200, Doc: "What Meta changed, newest first"},
	}
}

// metaRoutes are Meta's door.
func metaRoutes() []route {
	return []route{
		{Route: "GET /webhooks/meta/{app}", Public: true, Status: 200, Doc: "Meta's question whether this address is ours"},
		{Route: "POST /webhooks/meta/{app}", Public: true, Status: 200, Doc: "Meta's webhooks, signed with the app's secret"},
	}
}
