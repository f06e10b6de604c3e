package asset

// Fields is everything a read of the number can show.
func (n Number) Fields(w WABA, p Portfolio) map[string]any {
	level := "STANDARD"
	if n.MPS >= 1000 {
		level = "HIGH"
	}
	return map[string]any{
		"id": n.ID, "display_phone_number": n.DisplayPhone, "verified_name": n.VerifiedName, "status": n.Status,
		"quality_rating": n.Quality, "quality_score": map[string]any{"score": n.Quality}, "platform_type": "CLOUD_API",
		"account_mode": "LIVE", "code_verification_status": "VERIFIED", "name_status": n.NameStatus,
		"throughput": map[string]any{"level": level}, "is_on_biz_app": n.OnBizApp, "is_official_business_account": false,
		"whatsapp_business_manager_messaging_limit": p.Limit, "health_status": health(w, &n),
		"is_pin_enabled": true, "new_name_status": nil, "webhook_configuration": nil, "last_onboarded_time": nil,
		"messaging_limit_tier": p.Limit, "country_dial_code": nil, "certificate": nil, "username": nil,
	}
}

// Fields is everything a read of the account can show.
func (w WABA) Fields(p Portfolio) map[string]any {
	owner := map[string]any{"id": p.ID, "name": p.Name}
	return map[string]any{
		"id": w.ID, "name": w.Name, "currency": w.Currency, "timezone_id": w.TimezoneID, "country": w.Country,
		"status": w.Status, "account_review_status": w.ReviewStatus, "owner_business_info": owner, "owner_business": owner,
		"whatsapp_business_manager_messaging_limit": p.Limit, "health_status": health(w, nil),
		"business_verification_status": "verified", "ownership_type": "SELF", "message_template_namespace": "sandbox",
		"marketing_messages_onboarding_status": w.MarketingStatus, "disable_marketing_messages_on_cloud_api": w.CloudMarketingOff,
		"template_auto_archival_enabled": true,
	}
}

// health is the worst of the entities, as Meta computes it.
func health(w WABA, n *Number) map[string]any {
	worst := "AVAILABLE"
	entities := []any{}
	add := func(kind, id, can string, code int) {
		e := map[string]any{"entity_type": kind, "id": id, "can_send_message": can}
		if can == "BLOCKED" || can == "LIMITED" && worst == "AVAILABLE" {
			worst = can
		}
		if can == "BLOCKED" {
			e["errors"] = []any{map[string]any{"error_code": code, "error_description": "scripted", "possible_solution": "scripted"}}
		}
		entities = append(entities, e)
	}
	if n != nil {
		can := "AVAILABLE"
		if n.Quality == "RED" {
			can = "LIMITED"
		}
		if n.Status != "CONNECTED" {
			can = "BLOCKED"
		}
		if n.Health != "" {
			can = n.Health
		}
		add("PHONE_NUMBER", n.ID, can, 133010)
	}
	can := "AVAILABLE"
	if w.ReviewStatus != "APPROVED" || w.Status != "ACTIVE" {
		can = "BLOCKED"
	}
	add("WABA", w.ID, can, 131031)
	add("BUSINESS", w.PortfolioID, "AVAILABLE", 0)
	return map[string]any{"can_send_message": worst, "entities": entities}
}

// Fields is everything a read of the template can show.
func (t Template) Fields() map[string]any {
	m := map[string]any{
		"id": t.ID, "name": t.Name, "language": t.Language, "status": t.Status, "category": t.Category,
		"parameter_format": t.ParameterFormat, "components": t.Components, "quality_score": map[string]any{"score": t.Quality},
		"rejected_reason": "NONE", "correct_category": nil, "previous_category": nil, "health_status": t.health(), "message_send_ttl_seconds": nil,
	}
	if t.CorrectCategory != "" {
		m["correct_category"] = t.CorrectCategory
	}
	return m
}

// health: only an approved template can be sent.
func (t Template) health() map[string]any {
	e := map[string]any{"entity_type": "MESSAGE_TEMPLATE", "id": t.ID, "can_send_message": "AVAILABLE"}
	if t.Status != "APPROVED" {
		e["can_send_message"] = "BLOCKED"
		e["errors"] = []any{map[string]any{"error_code": 141002, "error_description": "scripted", "possible_solution": "scripted"}}
	}
	return map[string]any{"can_send_message": e["can_send_message"], "entities": []any{e}}
}

// Event is the value of a template webhook with string pairs added.
func (t Template) Event(pairs ...string) map[string]any {
	v := map[string]any{
		"message_template_id": t.ID, "message_template_name": t.Name, "message_template_language": t.Language,
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v[pairs[i]] = pairs[i+1]
	}
	return v
}
