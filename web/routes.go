package web

import (
	"slices"

	"bareed/accounts"
	"bareed/web/caps"
	"bareed/web/front"
	"bareed/web/portfolio"
	"bareed/web/rules"
)

// routes is every page: who may open it. A page without a row, and a row
// without a page, stop the program at its start.
func routes() []front.Route {
	return slices.Concat(frameRoutes(), campaignRoutes(), peopleRoutes(), accountRoutes(), portfolio.Routes(), moneyRoutes(), caps.Routes(), rules.Routes())
}

// frameRoutes are signing in, preferences, the first page, the operator's page and
// the page of components.
func frameRoutes() []front.Route {
	return []front.Route{
		{Route: "GET /sign-in", Public: true},
		{Route: "POST /sign-in", Public: true},
		{Route: "POST /sign-out", Public: true},
		{Route: "POST /language", Public: true},
		{Route: "POST /appearance", Public: true},
		{Route: "GET /session", Action: accounts.ReadSelf, Open: true},
		{Route: "POST /workspace", Action: accounts.ReadSelf, Open: true},

		{Route: "GET /{$}", Action: accounts.ReadWorkspace, Open: true},

		{Route: "GET /ops", Action: accounts.ReadSelf, Open: true},
		{Route: "GET /ops/sign-in", Public: true},

		{Route: "GET /components", Action: accounts.ReadSelf, Open: true},
		{Route: "POST /components", Action: accounts.ReadSelf, Open: true},
	}
}

// campaignRoutes are about campaigns and the wizard that makes them.
func campaignRoutes() []front.Route {
	return []front.Route{
		{Route: "GET /campaigns", Action: accounts.ReadCampaigns, Open: true},
		{Route: "GET /campaigns/{campaign}", Action: accounts.ReadCampaigns, Open: true},
		{Route: "GET /campaigns/{campaign}/live", Action: accounts.ReadCampaigns, Open: true, Long: true},
		{Route: "POST /campaigns/{campaign}/pause", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/resume", Action: accounts.LaunchCampaigns},
		{Route: "POST /campaigns/{campaign}/resume", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/stop", Action: accounts.LaunchCampaigns},
		{Route: "POST /campaigns/{campaign}/stop", Action: accounts.LaunchCampaigns},
		{Route: "POST /campaigns/{campaign}/duplicate", Action: accounts.WriteCampaigns},
		{Route: "POST /campaigns/{campaign}/take-back", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/unconfirmed", Action: accounts.ReadReports, Open: true},
		{Route: "POST /campaigns/{campaign}/unconfirmed", Action: accounts.OverrideStops},
		{Route: "GET /campaigns/{campaign}/held", Action: accounts.ReadReports, Open: true},
		{Route: "POST /campaigns/{campaign}/held", Action: accounts.OverrideStops},
		{Route: "GET /campaigns/{campaign}/recipients", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/recipients.csv", Action: accounts.ExportContacts, Open: true, Long: true},
		{Route: "GET /campaigns/{campaign}/recipients/{message}", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/report", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/differences", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/differences/rows.csv", Action: accounts.ReadReports, Open: true, Long: true},

		{Route: "GET /campaigns/new", Action: accounts.WriteCampaigns, Open: true},
		{Route: "POST /campaigns/new", Action: accounts.WriteCampaigns},
		{Route: "GET /campaigns/{campaign}/edit", Action: accounts.WriteCampaigns, Open: true},
		{Route: "GET /campaigns/{campaign}/edit/{step}", Action: accounts.WriteCampaigns, Open: true},
		{Route: "POST /campaigns/{campaign}/edit/{step}", Action: accounts.WriteCampaigns},
		{Route: "POST /campaigns/{campaign}/edit/confirm", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/checks/{check}/rows.csv", Action: accounts.ReadCampaigns, Open: true, Long: true},
	}
}

// peopleRoutes are about audiences, imports and contacts.
func peopleRoutes() []front.Route {
	return []front.Route{
		{Route: "GET /audiences", Action: accounts.ReadContacts, Open: true},
		{Route: "GET /audiences/new", Action: accounts.WriteContacts},
		{Route: "POST /audiences/new", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}", Action: accounts.ReadContacts, Open: true},
		{Route: "GET /audiences/{audience}/delete", Action: accounts.WriteContacts},
		{Route: "POST /audiences/{audience}/delete", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}/import", Action: accounts.WriteContacts},
		{Route: "POST /audiences/{audience}/import", Action: accounts.WriteContacts, Long: true},
		{Route: "GET /audiences/{audience}/sample/{language}", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}/drafts/{draft}", Action: accounts.WriteContacts},
		{Route: "POST /audiences/{audience}/drafts/{draft}", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}/drafts/{draft}/consent", Action: accounts.WriteContacts},
		{Route: "POST /audiences/{audience}/drafts/{draft}/consent", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}/drafts/{draft}/check", Action: accounts.WriteContacts},
		{Route: "POST /audiences/{audience}/drafts/{draft}/check", Action: accounts.WriteContacts, Long: true},
		{Route: "POST /audiences/{audience}/drafts/{draft}/discard", Action: accounts.WriteContacts},
		{Route: "GET /audiences/{audience}/imports/{import}", Action: accounts.ReadContacts, Open: true},
		{Route: "GET /audiences/{audience}/imports/{import}/rejects.csv", Action: accounts.SeePhones, Open: true, Long: true},

		{Route: "GET /contacts", Action: accounts.ReadContacts, Open: true},
		{Route: "GET /contacts/{contact}", Action: accounts.ReadContacts, Open: true},
		{Route: "GET /contacts/{contact}/opt-out", Action: accounts.WriteConsent},
		{Route: "POST /contacts/{contact}/opt-out", Action: accounts.WriteConsent},
		{Route: "GET /contacts/{contact}/opt-in", Action: accounts.WriteConsent},
		{Route: "POST /contacts/{contact}/opt-in", Action: accounts.WriteConsent},
	}
}

// accountRoutes are about what Meta knows of the workspace, and its settings.
func accountRoutes() []front.Route {
	return []front.Route{
		{Route: "GET /templates", Action: accounts.ReadTemplates, Open: true},
		{Route: "POST /templates/sync", Action: accounts.WriteTemplates},
		{Route: "GET /templates/{template}", Action: accounts.ReadTemplates, Open: true},

		{Route: "GET /numbers", Action: accounts.ReadNumbers, Open: true},
		{Route: "GET /numbers/connect", Action: accounts.WriteNumbers, Open: true},
		{Route: "POST /numbers/connect", Action: accounts.WriteNumbers},
		{Route: "GET /numbers/{number}", Action: accounts.ReadNumbers, Open: true},
		{Route: "POST /numbers/{number}/token", Action: accounts.WriteNumbers},
		{Route: "GET /numbers/{number}/disconnect", Action: accounts.WriteNumbers, Open: true},
		{Route: "POST /numbers/{number}/disconnect", Action: accounts.WriteNumbers},

		{Route: "GET /settings", Action: accounts.ReadWorkspace, Open: true},
		{Route: "POST /settings", Action: accounts.WriteWorkspace},
		{Route: "GET /settings/keys/new", Action: accounts.WriteKeys, Open: true},
		{Route: "POST /settings/keys/new", Action: accounts.WriteKeys},
		{Route: "GET /settings/keys/{key}/revoke", Action: accounts.WriteKeys, Open: true},
		{Route: "POST /settings/keys/{key}/revoke", Action: accounts.WriteKeys, Open: true},
	}
}

// moneyRoutes are about what messages cost.
func moneyRoutes() []front.Route {
	return []front.Route{
		{Route: "GET /rate-cards", Action: accounts.ReadBilling, Open: true},
		{Route: "GET /rate-cards/new", Action: accounts.WriteBilling},
		{Route: "POST /rate-cards/new", Action: accounts.WriteBilling, Long: true},
		{Route: "GET /rate-cards/{card}", Action: accounts.ReadBilling, Open: true},
		{Route: "GET /rate-cards/{card}/file.csv", Action: accounts.ReadBilling, Open: true, Long: true},
	}
}

// navigation is the menu, in its order.
func navigation() []front.Nav {
	return []front.Nav{
		{Key: "nav.home", Path: "/", Icon: "home", Action: accounts.ReadWorkspace},
		{Key: "nav.campaigns", Path: "/campaigns", Icon: "campaigns", Action: accounts.ReadCampaigns},
		{Key: "nav.audiences", Path: "/audiences", Icon: "audiences", Action: accounts.ReadContacts},
		{Key: "nav.contacts", Path: "/contacts", Icon: "contacts", Action: accounts.ReadContacts},
		{Key: "nav.templates", Path: "/templates", Icon: "templates", Action: accounts.ReadTemplates},
		{Key: "nav.numbers", Path: "/numbers", Icon: "numbers", Action: accounts.ReadNumbers},
		{Key: "nav.rate_cards", Path: "/rate-cards", Icon: "money", Action: accounts.ReadBilling},
		{Key: "nav.settings", Path: "/settings", Icon: "settings", Action: accounts.ReadWorkspace, Apart: true},
	}
}
