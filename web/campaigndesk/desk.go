// Package campaigndesk owns the pages of campaigns: the list, a campaign as it
// runs, pausing, resuming, stopping and duplicating it, its people, one person's message,
// the report and the check beside the run. Defining and launching a campaign are not here.
//
// web registers it. It calls the nouns and decides nothing.
package campaigndesk

import (
	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/campaigns/live"
	"bareed/web/front"
)

// desk is what the handlers share.
type desk struct {
	live  *live.Hub
	vault *accounts.Vault // opens what a message said

	limits breaker.Limits // the operator's, of what holds a campaign
}

// Register adds the pages. Everybody who watches does so through one hub.
func Register(f *front.Front, hub *live.Hub, limits breaker.Limits) {
	d := &desk{live: hub, vault: f.Vault, limits: limits}
	f.Handle("GET /campaigns", d.campaignsPage)
	f.Handle("GET /campaigns/{campaign}", d.campaignPage)
	f.Handle("GET /campaigns/{campaign}/live", d.campaignLive)
	f.Handle("POST /campaigns/{campaign}/pause", d.pauseCampaign)
	f.Handle("GET /campaigns/{campaign}/resume", d.resumePage)
	f.Handle("POST /campaigns/{campaign}/resume", d.resumeCampaign)
	f.Handle("GET /campaigns/{campaign}/stop", d.stopPage)
	f.Handle("POST /campaigns/{campaign}/stop", d.stopCampaign)
	f.Handle("POST /campaigns/{campaign}/duplicate", d.duplicateCampaign)
	f.Handle("POST /campaigns/{campaign}/take-back", d.takeBack)
	f.Handle("GET /campaigns/{campaign}/unconfirmed", aboutUnconfirmed().show)
	f.Handle("POST /campaigns/{campaign}/unconfirmed", decideUnconfirmed)
	f.Handle("GET /campaigns/{campaign}/held", aboutHeld().show)
	f.Handle("POST /campaigns/{campaign}/held", returnHeld)
	f.Handle("GET /campaigns/{campaign}/recipients", d.recipientsPage)
	f.Handle("GET /campaigns/{campaign}/recipients.csv", d.recipientsFile)
	f.Handle("GET /campaigns/{campaign}/recipients/{message}", d.messagePage)
	f.Handle("GET /campaigns/{campaign}/report", d.reportPage)
	f.Handle("GET /campaigns/{campaign}/differences", d.differencesPage)
	f.Handle("GET /campaigns/{campaign}/differences/rows.csv", d.differencesFile)
}
