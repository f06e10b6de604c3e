package describe

// caps are what a workspace keeps from its people and its purse.
func caps() []words {
	return []words{
		{"GET /v1/sending-rules", "getSendingRules", "Rules", "docs/CAPS.md explains them. The ETag goes back as If-Match of a change.", nil},
		{"PUT /v1/sending-rules", "setSendingRules", "Rules", "In place of what was set. Holds for whoever is planned from then on, in every campaign. Owners and admins only.",
			[]string{"version.required", "version.stale", "caps.settings", "caps.range", "caps.country"}},
		{"GET /v1/campaigns/{campaign}/frequency", "getFrequency", "Rules", "Only marketing is counted.", nil},
		{"PUT /v1/campaigns/{campaign}/frequency", "setFrequency", "Rules", "The reason is kept in the audit. A draft needs a new check afterwards. Owners and admins only.",
			[]string{"caps.reason", "campaign.state"}},
		{"GET /v1/budget", "getBudget", "Money", "spent is what was delivered this month at a known price, promised what launched campaigns may still cost by their estimates.", nil},
		{"PUT /v1/budget", "setBudget", "Money", "Runs under way are held to it from the next look on; raising it lets those go on that it held.",
			[]string{"version.required", "version.stale", "budget.amount", "ratecard.currency"}},
		{"GET /v1/campaigns/{campaign}/budget", "getCampaignBudget", "Money", "Of each sending.", nil},
		{"PUT /v1/campaigns/{campaign}/budget", "setCampaignBudget", "Money", "Of a campaign that was launched only owners and admins, or a key with billing:write; raising it lets a run go on that it held.",
			[]string{"version.required", "version.stale", "budget.amount", "ratecard.currency", "campaign.state"}},
	}
}
