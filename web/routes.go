package web

import (
	"bareed/accounts"
	"bareed/web/front"
)

// routes is every page: who may open it. A page without a row, and a row
// without a page, stop the program at its start.
func routes() []front.Route {
	return []front.Route{
		{Route: "GET /sign-in", Public: true},
		{Route: "POST /sign-in", Public: true},
		{Route: "POST /sign-out", Public: true},
		{Route: "POST /language", Public: true},
		{Route: "POST /appearance", Public: true},
		{Route: "GET /session", Action: accounts.ReadSelf, Open: true},
		{Route: "POST /workspace", Action: accounts.ReadSelf, Open: true},

		{Route: "GET /{$}", Action: accounts.ReadWorkspace, Open: true},

		{Route: "GET /campaigns", Action: accounts.ReadCampaigns, Open: true},
		{Route: "GET /campaigns/{campaign}", Action: accounts.ReadCampaigns, Open: true},
		{Route: "GET /campaigns/{campaign}/live", Action: accounts.ReadCampaigns, Open: true, Long: true},
		{Route: "POST /campaigns/{campaign}/pause", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/resume", Action: accounts.LaunchCampaigns},
		{Route: "POST /campaigns/{campaign}/resume", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/stop", Action: accounts.LaunchCampaigns},
		{Route: "POST /campaigns/{campaign}/stop", Action: accounts.LaunchCampaigns},
		{Route: "GET /campaigns/{campaign}/recipients", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/recipients.csv", Action: accounts.ExportContacts, Open: true, Long: true},
		{Route: "GET /campaigns/{campaign}/recipients/{message}", Action: accounts.ReadReports, Open: true},
		{Route: "GET /campaigns/{campaign}/report", Action: accounts.ReadReports, Open: true},

		{Route: "GET /audiences", Action: accounts.ReadContacts, Open: true},

		{Route: "GET /contacts", Action: accounts.ReadContacts, Open: true},

		{Route: "GET /templates", Action: accounts.ReadTemplates, Open: true},

		{Route: "GET /numbers", Action: accounts.ReadNumbers, Open: true},

		{Route: "GET /components", Action: accounts.ReadSelf, Open: true},
		{Route: "POST /components", Action: accounts.ReadSelf, Open: true},
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
	}
}
