//go:build unix

package mutants

// All is every planted bug.
func All() []Mutant {
	return []Mutant{
		{"mark-after-POST", []Patch{
			{"messages/claim.go", "set state = 'sending',", "set state = 'ready',"},
			{"messages/record.go", "m.state in ('sending', 'unknown') or", "m.state in ('ready', 'sending', 'unknown') or"},
		}, lostAnswers()},
		{"blind-resend-on-lost-answer", []Patch{
			{"messages/record.go", "		r.State = Unknown\n", "		r.State, r.Again = Ready, 0\n"},
		}, lostAnswers()},
		{"expired-claim-to-ready", []Patch{
			{"messages/repair.go", "    set state = 'unknown', updated_at", "    set state = 'ready', feed_after = bareed_now(), updated_at"},
		}, lostAnswers()},
		{"idempotency-key-on-the-POST", []Patch{
			{"whatsapp/client.go", "		req.Header.Set(\"Content-Type\", \"application/json\")\n",
				"		req.Header.Set(\"Content-Type\", \"application/json\")\n		req.Header.Set(\"Idempotency-Key\", \"k\")\n"},
		}, lostAnswers()},
		{"no-opt-out-check-in-the-claim", []Patch{
			{"messages/claim.go", "          and (may.permitted or a.kind = 'reply' and may.open_window)\n          and may.suppressed is not true\n", ""},
		}, refusals()},
		{"gates-outside-the-claim", []Patch{
			{"messages/claim.go", "      and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,\n          r.template_id, r.campaign_id, r.id])\n), asked", "), asked"},
			{"messages/claim.go", "      and r.state = 'running'\n", ""},
		}, stops()},
		{"no-last-look", []Patch{
			{"worker/send_message.go", "const (\n	// sendTime", "const (\n	neverLate = true\n	// sendTime"},
			{"worker/send_message.go", "	return time.Since(began) > lastLook ||", "	return !neverLate && time.Since(began) > lastLook || !neverLate &&"},
		}, stops()},
		{"claims-not-durable", []Patch{
			{"internal/pg/pg.go", "    set_config('jit', 'off', true)`", "    set_config('jit', 'off', true), set_config('synchronous_commit', 'off', true)`"},
		}, crashes()},
		{"POST-before-the-claim-commits", []Patch{
			{"messages/claim.go", "	if err != nil {\n		return nil, fmt.Errorf(\"claim messages: %w\", err)\n	}\n	return claims, nil",
				"	if err != nil && len(claims) == 0 {\n		return nil, fmt.Errorf(\"claim messages: %w\", err)\n	}\n	return claims, nil"},
		}, sessions()},
		{"webhook-200-before-the-commit", []Patch{
			{"api/webhook/door.go", "	if err := d.store(ctx, m); err != nil {\n		return unavailable(err)\n	}\n", "	_ = d.store(ctx, m)\n"},
		}, receipts()},
		{"rank-lowered-by-a-late-status", []Patch{
			{"messages/status.go", "            message_rank(x.state) > message_rank(m.state)\n", "            message_rank(x.state) <> message_rank(m.state)\n"},
		}, receipts()},
		{"no-feeding-again", []Patch{
			{"messages/repair.go", "      and m.ordinal <= (select refeed_to from r)", "      and m.ordinal <= (select refeed_to from r) and false"},
		}, dashboard()},
		{"queue-context-on-the-POST", []Patch{
			{"worker/send_message.go", "context.WithTimeout(context.WithoutCancel(ctx), sendTime)", "context.WithTimeout(ctx, sendTime)"},
		}, dashboard()},
		{"limiter-full-after-a-flush", []Patch{
			{"limits/lua/take.lua", "  return {2, first - horizon, now}\nend\n", "  redis.call('HSET', KEYS[1], 'full', 1000)\n  return {2, first - horizon, now}\nend\n" +
				"if redis.call('HINCRBY', KEYS[1], 'full', -1) >= 0 then return {1, now + lead, now} end\n"},
		}, emptied()},
		{"record-without-the-claim's-token", []Patch{
			{"messages/record.go", "          and m.claim_token = x.token\n", ""},
		}, oneSided()},
	}
}
