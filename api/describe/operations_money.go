package describe

func money() []words {
	card := []string{"ratecard.too_large", "ratecard.too_many_rows", "ratecard.column_unknown", "ratecard.column_missing", "ratecard.rows", "ratecard.rows_more",
		"ratecard.market", "ratecard.category", "ratecard.currency", "ratecard.currency_mixed", "ratecard.rate", "ratecard.volume", "ratecard.volume_order",
		"ratecard.twice", "ratecard.tier_overlap", "ratecard.tier_gap", "ratecard.valid_from", "ratecard.valid_from_range", "field.required",
		"upload.content_type", "upload.interrupted", "upload.compressed", "multipart.syntax", "multipart.no_file", "multipart.one_file_only", "multipart.too_many_parts",
		"csv.empty", "csv.not_csv", "csv.is_spreadsheet", "csv.encoding", "csv.delimiter", "csv.header_missing", "csv.header_duplicate", "csv.header_name",
		"csv.header_quote", "csv.too_many_columns", "csv.no_rows", "csv.field_count", "csv.quote", "csv.quote_open", "csv.record_too_long", "param.unknown"}
	return []words{
		{"GET /v1/rate-cards", "listRateCards", "Money", "A card is one version of the prices in one currency. It holds from valid_from until valid_to, where a newer one took over.", nil},
		{"POST /v1/rate-cards", "createRateCard", "Money", "Columns market, category, currency, rate and, both or neither, volume_from and volume_to; one currency. Bareed ships no prices: take Meta's card. A newer card closes the one before; none is ever edited. docs/MONEY.md says the rest.", card},
		{"GET /v1/rate-cards/{card}", "getRateCard", "Money", "", nil},
		{"GET /v1/rate-cards/{card}/file.csv", "exportRateCard", "Money", "Byte for byte.", nil},
		{"GET /v1/campaigns/{campaign}/checks/{check}/cost", "getCheckCost", "Money", "By country, at the card in force on the day of sending and the tier of the month so far, if everybody is reached. A country without a price is counted without one. budgets says whether the launch would be refused.", []string{"check.not_completed"}},
		{"GET /v1/campaigns/{campaign}/cost", "getCost", "Money", "Of the newest run, by Meta's receipts, counted every few seconds. variance splits actual less estimated into causes that add up to it exactly.", []string{"campaign.not_launched"}},
	}
}
