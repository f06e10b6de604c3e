//go:build unix

package mutants

import "slices"

// What the judge says of what the bugs break.
const (
	isTwice     = "were messaged twice"
	isOptOut    = "after an opt-out's commit"
	isStop      = "a stop leaked"
	isReceipts  = "acknowledged receipts are not there"
	isRank      = "a later status lowered them"
	isLost      = "people are lost"
	isUncertain = "became unknown although every answer came"
	isRate      = "requests in one second"
	isTime      = "the firing of"
)

// All is every planted bug.
func All() []Mutant { return slices.Concat(resends(), gates(), commits(), queues(), instead()) }

// resends send again what may have left.
func resends() []Mutant {
	return []Mutant{
		{"mark-after-POST", []Patch{
			{"messages/claim.go", "set state = 'sending',", "set state = 'ready',"},
			{"messages/record.go", "m.state in ('sending', 'unknown') or", "m.state in ('ready', 'sending', 'unknown') or"},
		}, killed(), isTwice},
		{"blind-resend-on-lost-answer", []Patch{
			{"messages/record.go", "		r.State = Unknown\n", "		r.State, r.Again = Ready, 0\n"},
		}, lostAnswers(), isTwice},
		{"expired-claim-to-ready", []Patch{
			{"messages/repair.go", "    set state = 'unknown', updated_at", "    set state = 'ready', feed_after = bareed_now(), updated_at"},
		}, killed(), isTwice},
		{"idempotency-key-on-the-POST", []Patch{
			{"whatsapp/client.go", "		req.Header.Set(\"Content-Type\", \"application/json\")\n",
				"		req.Header.Set(\"Content-Type\", \"application/json\")\n		req.Header.Set(\"Idempotency-Key\", \"k\")\n"},
		}, lostAnswers(), isTwice},
	}
}

// gates are looked at too early or not at all.
func gates() []Mutant {
	return []Mutant{
		{"no-opt-out-check-in-the-claim", []Patch{
			{"messages/claim.go", "          and (may.permitted or a.kind = 'reply' and may.open_window)\n          and may.suppressed is not true\n", ""},
		}, refusals(), isOptOut},
		{"gates-outside-the-claim", []Patch{
			{"messages/claim.go", "      and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,\n          r.template_id, r.campaign_id, r.id])\n), asked", "), asked"},
			{"messages/claim.go", "      and r.state = 'running'\n", ""},
		}, stops(), isStop},
		{"no-last-look", []Patch{
			{"worker/send_message.go", "const (\n	// sendTime", "const (\n	neverLate = true\n	// sendTime"},
			{"worker/send_message.go", "	return time.Since(began) > lastLook ||", "	return !neverLate && time.Since(began) > lastLook || !neverLate &&"},
		}, stops(), isStop},
	}
}

// commits come too late, or change what came before.
func commits() []Mutant {
	return []Mutant{
		{"claims-not-durable", []Patch{
			{"internal/pg/pg.go", "    set_config('jit', 'off', true)`", "    set_config('jit', 'off', true), set_config('synchronous_commit', 'off', true)`"},
		}, crashes(), isTwice},
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
		}, sessions(), isTwice},
		{"webhook-200-before-the-commit", []Patch{
			{"api/webhook/door.go", "import (\n", "import (\n	\"context\"\n"},
			{"api/webhook/door.go", "	if err := d.store(ctx, m); err != nil {\n		return unavailable(err)\n	}\n",
				"	go func() { _ = d.store(context.WithoutCancel(ctx), m) }()\n"},
		}, receipts(), isReceipts},
		{"rank-lowered-by-a-late-status", []Patch{
			{"messages/status.go", "            message_rank(x.state) > message_rank(m.state)\n", "            message_rank(x.state) <> message_rank(m.state)\n"},
		}, receipts(), isRank},
	}
}

// queues are trusted, and Redis.
func queues() []Mutant {
	return []Mutant{
		{"no-feeding-again", []Patch{
			{"messages/repair.go", "      and m.ordinal <= (select refeed_to from r)", "      and m.ordinal <= (select refeed_to from r) and false"},
		}, dashboard(), isLost},
		{"queue-context-on-the-POST", []Patch{
			{"worker/send_message.go", "context.WithTimeout(context.WithoutCancel(ctx), sendTime)", "context.WithTimeout(ctx, sendTime)"},
		}, dashboard(), isUncertain},
		{"limiter-full-after-a-flush", []Patch{
			{"limits/lua/take.lua", "  return {2, first - horizon, now}\nend\n", "  redis.call('HSET', KEYS[1], 'full', 1000)\n  return {2, first - horizon, now}\nend\n" +
				"if redis.call('HINCRBY', KEYS[1], 'full', -1) >= 0 then return {1, now + lead, now} end\n"},
		}, emptied(), isRate},
		{"record-without-the-claim's-token", []Patch{
			{"messages/record.go", "          and m.claim_token = x.token\n", ""},
		}, oneSided(), isTwice},
	}
}

// instead of rows and zones something else decides.
func instead() []Mutant {
	return []Mutant{
		{"sent-set-in-Redis", append([]Patch{
			{"messages/claim.go", "set state = 'sending',", "set state = 'ready',"},
			{"messages/record.go", "m.state in ('sending', 'unknown') or", "m.state in ('ready', 'sending', 'unknown') or"},
		}, sentSet()...), forgotten(), isTwice},
		{"queue-pause-as-quality-stop", []Patch{
			{"messages/changed/changed.go", "		if _, err := messages.OpenStop(ctx, tx, ws, o); err != nil {\n", "		if err := pauseQueue(); err != nil {\n"},
			{"messages/changed/changed.go", "	\"github.com/jackc/pgx/v5\"\n", "	\"os\"\n	\"strings\"\n\n	\"github.com/hibiken/asynq\"\n	\"github.com/jackc/pgx/v5\"\n"},
			{"messages/changed/changed.go", "// sameDrop tells", `func pauseQueue() error {
	o, err := asynq.ParseRedisURI(os.Getenv("REDIS_URL"))
	if err != nil {
		return err
	}
	i := asynq.NewInspector(o)
	defer i.Close()
	if err := i.PauseQueue("send"); err != nil && !strings.Contains(err.Error(), "already paused") {
		return err
	}
	return nil
}

// sameDrop tells`},
		}, drops(), isStop},
		{"cron-in-local-time", []Patch{
			{"campaigns/schedule/rules.go", "resolve(wall, loc)\n	t.Runs", "resolve(wall, time.Local)\n	t.Runs"},
		}, zones(), isTime},
	}
}

// sentSet decides who was sent by a set in Redis; what was given back or refused
// for now is taken out again.
func sentSet() []Patch {
	return []Patch{
		{"messages/claim.go", "	\"time\"\n", "	\"os\"\n	\"sync\"\n	\"time\"\n"},
		{"messages/claim.go", "	\"github.com/jackc/pgx/v5\"\n", "	\"github.com/jackc/pgx/v5\"\n	\"github.com/redis/go-redis/v9\"\n"},
		{"messages/claim.go", "	return claims, nil\n}\n\n// runBatch", "	return unsent(ctx, claims)\n}\n\n// runBatch"},
		{"messages/claim.go", "func scanClaim(", `var sentSet = sync.OnceValue(func() *redis.Client {
	o, err := redis.ParseURL(os.Getenv("REDIS_URL"))
	if err != nil {
		panic(err)
	}
	return redis.NewClient(o)
})

func unsent(ctx context.Context, claims []Claim) (free []Claim, err error) {
	for _, c := range claims {
		n, err := sentSet().SAdd(ctx, "sent:"+c.Message.Run.String(), c.Message.Ordinal).Result()
		if err != nil {
			return nil, err
		}
		if n == 1 {
			free = append(free, c)
		}
	}
	return free, nil
}

func scanClaim(`},
		{"messages/record.go", "		if r.State != Accepted && r.Outcome != GivenBack {\n",
			"		if r.State == Ready {\n			sentSet().SRem(context.Background(), \"sent:\"+r.Message.Run.String(), r.Message.Ordinal)\n		}\n" +
				"		if r.State != Accepted && r.Outcome != GivenBack {\n"},
	}
}
