//go:build unix

package mutants

// All is every planted bug.
func All() []Mutant {
	return []Mutant{
		{"mark-after-POST", []Patch{
			{"messages/claim.go", "set state = 'sending',", "set state = 'ready',"},
			{"messages/record.go", "m.state in ('sending', 'unknown') or", "m.state in ('ready', 'sending', 'unknown') or"},
		}, killed(), true},
		{"blind-resend-on-lost-answer", []Patch{
			{"messages/record.go", "		r.State = Unknown\n", "		r.State, r.Again = Ready, 0\n"},
		}, lostAnswers(), true},
		{"expired-claim-to-ready", []Patch{
			{"messages/repair.go", "    set state = 'unknown', updated_at", "    set state = 'ready', feed_after = bareed_now(), updated_at"},
		}, killed(), true},
		{"idempotency-key-on-the-POST", []Patch{
			{"whatsapp/client.go", "		req.Header.Set(\"Content-Type\", \"application/json\")\n",
				"		req.Header.Set(\"Content-Type\", \"application/json\")\n		req.Header.Set(\"Idempotency-Key\", \"k\")\n"},
		}, lostAnswers(), false},
		{"no-opt-out-check-in-the-claim", []Patch{
			{"messages/claim.go", "          and (may.permitted or a.kind = 'reply' and may.open_window)\n          and may.suppressed is not true\n", ""},
		}, refusals(), false},
		{"gates-outside-the-claim", []Patch{
			{"messages/claim.go", "      and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,\n          r.template_id, r.campaign_id, r.id])\n), asked", "), asked"},
			{"messages/claim.go", "      and r.state = 'running'\n", ""},
		}, stops(), false},
		{"no-last-look", []Patch{
			{"worker/send_message.go", "const (\n	// sendTime", "const (\n	neverLate = true\n	// sendTime"},
			{"worker/send_message.go", "	return time.Since(began) > lastLook ||", "	return !neverLate && time.Since(began) > lastLook || !neverLate &&"},
		}, stops(), false},
		{"claims-not-durable", []Patch{
			{"internal/pg/pg.go", "    set_config('jit', 'off', true)`", "    set_config('jit', 'off', true), set_config('synchronous_commit', 'off', true)`"},
		}, crashes(), true},
		{"POST-before-the-claim-commits", []Patch{
			{"messages/claim.go", "		b.Queue(`commit`)\n		return runBatch(ctx, pool, b)", `		conn, err := pool.App().Acquire(ctx)
		if err != nil {
			return err
		}
		if err := conn.SendBatch(ctx, b).Close(); err != nil {
			_ = conn.Conn().Close(ctx)
			conn.Release()
			return err
		}
		late := context.WithoutCancel(ctx)
		go func() { _, _ = conn.Exec(late, "commit"); conn.Release() }()
		return nil`},
		}, sessions(), true},
		{"webhook-200-before-the-commit", []Patch{
			{"api/webhook/door.go", "import (\n", "import (\n	\"context\"\n"},
			{"api/webhook/door.go", "	if err := d.store(ctx, m); err != nil {\n		return unavailable(err)\n	}\n",
				"	go func() { _ = d.store(context.WithoutCancel(ctx), m) }()\n"},
		}, receipts(), false},
		{"rank-lowered-by-a-late-status", []Patch{
			{"messages/status.go", "            message_rank(x.state) > message_rank(m.state)\n", "            message_rank(x.state) <> message_rank(m.state)\n"},
		}, receipts(), false},
		{"no-feeding-again", []Patch{
			{"messages/repair.go", "      and m.ordinal <= (select refeed_to from r)", "      and m.ordinal <= (select refeed_to from r) and false"},
		}, dashboard(), false},
		{"queue-context-on-the-POST", []Patch{
			{"worker/send_message.go", "context.WithTimeout(context.WithoutCancel(ctx), sendTime)", "context.WithTimeout(ctx, sendTime)"},
		}, dashboard(), false},
		{"limiter-full-after-a-flush", []Patch{
			{"limits/lua/take.lua", "  return {2, first - horizon, now}\nend\n", "  redis.call('HSET', KEYS[1], 'full', 1000)\n  return {2, first - horizon, now}\nend\n" +
				"if redis.call('HINCRBY', KEYS[1], 'full', -1) >= 0 then return {1, now + lead, now} end\n"},
		}, emptied(), false},
		{"record-without-the-claim's-token", []Patch{
			{"messages/record.go", "          and m.claim_token = x.token\n", ""},
		}, oneSided(), true},
	}
}
