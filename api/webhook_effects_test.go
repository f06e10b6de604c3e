package api_test

import "strings"

var (
	marketingBoth = []string{"bsuid:marketing", "phone:marketing"}
	allBoth       = []string{"bsuid:authentication", "bsuid:marketing", "bsuid:utility", "phone:authentication", "phone:marketing", "phone:utility"}
)

// effect is what a webhook must do at once.
type effect struct {
	stops      []string
	changes    []string
	suppressed []string
	windows    int // 24-hour windows: one for each identity of who wrote
}

// effects says for each webhook file what its name promises.
func effects() map[string]effect {
	status := func(s string) effect {
		return effect{stops: []string{"template:template_" + strings.ToLower(s)}, changes: []string{"status=" + s}}
	}
	quality := func(q string) effect {
		return effect{stops: []string{"template:quality_" + strings.ToLower(q)}, changes: []string{"quality=" + q}}
	}
	told := func(changes ...string) effect { return effect{changes: changes} }
	return map[string]effect{
		"account_alerts_deferred.json":                        told("alert=INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED"),
		"account_alerts_failed.json":                          told("alert=INCREASED_CAPABILITIES_ELIGIBILITY_FAILED"),
		"account_alerts_info.json":                            told("alert=INCREASED_CAPABILITIES_ELIGIBILITY_NEED_MORE_INFO"),
		"account_review_update_approved.json":                 {},
		"account_review_update_deferred.json":                 {stops: []string{"waba:review_status_deferred"}, changes: []string{"review_status=DEFERRED"}},
		"account_review_update_pending.json":                  {stops: []string{"waba:review_status_pending"}, changes: []string{"review_status=PENDING"}},
		"account_review_update_rejected.json":                 {stops: []string{"waba:review_status_rejected"}, changes: []string{"review_status=REJECTED"}},
		"account_update_deleted.json":                         {stops: []string{"waba:account_account_deleted"}, changes: []string{"account=ACCOUNT_DELETED"}},
		"account_update_disabled_disable.json":                {stops: []string{"waba:ban_disable"}, changes: []string{"ban=DISABLE"}},
		"account_update_disabled_reinstate.json":              told("ban=REINSTATE"),
		"account_update_disabled_schedule_for_disable.json":   {stops: []string{"waba:ban_schedule_for_disable"}, changes: []string{"ban=SCHEDULE_FOR_DISABLE"}},
		"account_update_mm_terms_signed.json":                 told("alert=MM_LITE_TERMS_SIGNED"),
		"account_update_offboarded.json":                      {stops: []string{"number:number_offboarded"}, changes: []string{"status=OFFBOARDED"}},
		"account_update_partner_app_uninstalled.json":         {stops: []string{"waba:account_partner_app_uninstalled"}, changes: []string{"account=PARTNER_APP_UNINSTALLED"}},
		"account_update_partner_removed.json":                 {stops: []string{"waba:account_partner_removed"}, changes: []string{"account=PARTNER_REMOVED"}},
		"account_update_reconnected.json":                     {},
		"account_update_restriction.json":                     {stops: []string{"waba:restriction_restricted_biz_initiated_messaging"}, changes: []string{"alert=RESTRICTED_ADD_PHONE_NUMBER_ACTION", "restriction=RESTRICTED_BIZ_INITIATED_MESSAGING"}},
		"account_update_restriction_all.json":                 {stops: []string{"waba:restriction_restricted_biz_initiated_messaging", "waba:restriction_restricted_customer_initiated_messaging"}, changes: []string{"restriction=RESTRICTED_BIZ_INITIATED_MESSAGING", "restriction=RESTRICTED_CUSTOMER_INITIATED_MESSAGING"}},
		"account_update_violation.json":                       told("violation=SCAM"),
		"account_update_volume_tier.json":                     told("alert=VOLUME_BASED_PRICING_TIER_UPDATE"),
		"batch_mixed.json":                                    {stops: []string{"template:template_paused"}, changes: []string{"status=PAUSED"}, suppressed: marketingBoth},
		"business_capability_update_int.json":                 {},
		"business_capability_update_legacy.json":              {}, // of one number, and the portfolio's is known
		"business_capability_update_tier_string.json":         told("messaging_limit=10000"),
		"business_capability_update_unlimited_legacy.json":    {},
		"inbound_button_quick_reply_stop.json":                {suppressed: allBoth, windows: 2},
		"inbound_from_ctwa_ad.json":                           {windows: 2},
		"inbound_interactive_button_reply.json":               {windows: 2},
		"inbound_interactive_nfm_reply.json":                  {windows: 2},
		"inbound_reaction.json":                               {windows: 2},
		"inbound_text.json":                                   {windows: 2},
		"inbound_text_bsuid_only.json":                        {windows: 1},
		"inbound_text_stop.json":                              {suppressed: allBoth, windows: 2},
		"inbound_unsupported.json":                            {windows: 2},
		"phone_number_name_update_approved.json":              told("name_decision=APPROVED", "verified_name=Acme"),
		"phone_number_quality_update_legacy_downgrade.json":   told("messaging_limit=10000"),
		"phone_number_quality_update_legacy_flagged.json":     {stops: []string{"number:number_flagged"}, changes: []string{"messaging_limit=10000", "status=FLAGGED"}},
		"phone_number_quality_update_legacy_unflagged.json":   told("messaging_limit=10000"),
		"phone_number_quality_update_onboarding.json":         told("messaging_limit=250"),
		"phone_number_quality_update_throughput_upgrade.json": told("throughput=1000"),
		"security_pin_reset_request.json":                     told("security=PIN_RESET_REQUEST"),
		"status_delivered_bsuid_only.json":                    {},
		"status_delivered_marketing.json":                     {},
		"status_failed_130429.json":                           {},
		"status_failed_130472.json":                           {},
		"status_failed_131026.json":                           {},
		"status_failed_131042.json":                           {},
		"status_failed_131047.json":                           {},
		"status_failed_131048.json":                           {},
		"status_failed_131049.json":                           {},
		"status_failed_131050.json":                           {suppressed: []string{"phone:marketing"}},
		"status_failed_132015.json":                           {},
		"status_played.json":                                  {},
		"status_read_no_pricing.json":                         {},
		"status_sent_free_entry_point.json":                   {},
		"status_sent_marketing.json":                          {},
		"status_sent_marketing_lite.json":                     {},
		"status_sent_service_after_2026_10.json":              {},
		"status_sent_utility_in_window_after_2026_10.json":    {},
		"status_sent_utility_in_window_before_2026_10.json":   {},
		"system_user_changed_number.json":                     {},
		"template_category_done.json":                         {},
		"template_category_impending.json":                    {},
		"template_components_update.json":                     told("components=new"), // no campaign sends it yet: campaigns/guard
		"template_quality_red.json":                           quality("RED"),
		"template_quality_wrong_field_name.json":              quality("YELLOW"),
		"template_quality_yellow.json":                        quality("YELLOW"),
		"template_status_approved.json":                       {},
		"template_status_archived.json":                       status("ARCHIVED"),
		"template_status_disabled.json":                       status("DISABLED"),
		"template_status_flagged.json":                        status("FLAGGED"),
		"template_status_paused_first.json":                   status("PAUSED"),
		"template_status_paused_lowercase.json":               status("PAUSED"),
		"template_status_paused_second.json":                  status("PAUSED"),
		"template_status_pending_deletion.json":               status("PENDING_DELETION"),
		"template_status_rejected.json":                       status("REJECTED"),
		"template_status_rejected_category.json":              status("REJECTED"),
		"template_status_unpaused.json":                       {},
		"unknown_field.json":                                  {},
		"user_preferences_resume.json":                        {},
		"user_preferences_signup.json":                        {},
		"user_preferences_stop.json":                          {suppressed: marketingBoth},
		"value_level_error.json":                              {},
	}
}
