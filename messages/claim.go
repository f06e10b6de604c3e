package messages

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/whatsapp"
)

// ClaimTime is how long a claim permits its POST and the recording of the
// answer; after it the row is unknown. Longer than any POST (15 s) with its
// departure, shorter than the queue's own task timeout (60 s).
const ClaimTime = 45 * time.Second

// Want is one slot's wish to send one message.
type Want struct {
	Message id.Message
	Token   uuid.UUID // new for every wish; only its holder may record the answer
	Known   Known
}

// Known is how far the asking process knows the ledger to have come. A database
// that has come less far has lost commits, and claims among them: it grants none
// (messages/behind). The zero Known knows nothing.
type Known struct {
	Installation uuid.UUID
	N            int64
}

// Claim is the permission to POST one message once.
type Claim struct {
	Message    id.Message
	Token      uuid.UUID
	Attempt    int
	Tries      int // how many claims of this message Meta refused for now
	Contact    id.Contact
	Address    string
	Parameters []byte // sealed
	Campaign   id.Campaign
	Template   json.RawMessage // the run's copy: name, language, format, components
	TemplateID id.Template
	Hash       []byte // keyed hash of the recipient
	Number     id.Number
	WABA       id.WABA
	Portfolio  id.Portfolio
	Marketing  *whatsapp.Marketing // the run goes by the Marketing Messages API; nil: by the Cloud API
}

// sqlClaim is the only way from ready to sending, and every gate is a condition
// of it, so that nothing can pass between a look and the deed. Under READ
// COMMITTED each statement sees all that committed before it began: a slot
// claims, POSTs, claims again, so after a gate commits at most one POST per
// slot can still leave. The rows are locked in order of (run, ordinal): two
// batches that share a row then wait for each other instead of deadlocking. The
// workspace is the transaction's, by row-level security and by $1.
//
// Every row is fetched by its key, message by message: each look-up is a lateral
// subquery or a scalar one, which PostgreSQL cannot turn around. A plain join or
// EXISTS it may answer by reading all of a workspace's messages or permissions
// when its statistics are old, and at the beginning of a run they always are.
const sqlClaim = `
with want as (
    select w.run_id, w.ordinal, w.token
    from unnest($2::uuid[], $3::int[], $4::uuid[]) as w(run_id, ordinal, token)
), gate as (
    select r.id, r.kind, least(r.wave_to, r.budget_to) as wave_to, r.purpose, r.campaign_id, r.template, r.template_id, r.number_id, r.waba_id, r.portfolio_id, r.product_policy, r.activity_sharing,
        (select array_agg(cb.country)
        from country_bar cb
        where cb.workspace_id = r.workspace_id
          and cb.waba_id = r.waba_id
          and cb.until > bareed_now()) as barred,
        r.purpose = 'marketing' and (select true from cool_off c where c.workspace_id = r.workspace_id and c.until > bareed_now() limit 1) as cooling
    from run r
    join number n on n.workspace_id = r.workspace_id and n.id = r.number_id
    join template t on t.workspace_id = r.workspace_id and t.id = r.template_id
    join workspace w on w.workspace_id = r.workspace_id
    where r.workspace_id = $1
      and r.id = any ($2)
      and r.state = 'running'
      and r.starts_at <= bareed_now()
      and (r.expires_at is null or r.expires_at > bareed_now())
      and (r.closes_at is null or r.closes_at > bareed_now())
      and w.state = 'active'
      and n.status = 'CONNECTED'
      and n.disconnected_at is null
      and t.status = 'APPROVED'
      and not exists (select from high_water h where h.installation = $7 and h.n < $8)
      and not stopped(r.workspace_id, array[r.workspace_id, r.portfolio_id, r.waba_id, r.number_id,
          r.template_id, r.campaign_id, r.id])
), asked as (
    select want.run_id, want.ordinal, want.token, gate.*
    from want
    join gate on gate.id = want.run_id
    order by want.run_id, want.ordinal
    offset 0
), pick as (
    select m.run_id, m.ordinal, a.token, a.campaign_id, a.template, a.template_id, a.number_id, a.waba_id, a.portfolio_id, a.product_policy, a.activity_sharing
    from asked a
    cross join lateral (
        select m.run_id, m.ordinal
        from message m
        cross join lateral (
            select
                (select sw.open_until > bareed_now() + interval '1 minute'
                from service_window sw
                where sw.workspace_id = $1
                  and sw.number_id = a.number_id
                  and sw.recipient_hash = m.recipient_hash) as open_window,
                (select p.granted and (p.expires_at is null or p.expires_at > bareed_now())
                from permission p
                where p.workspace_id = $1
                  and p.contact_id = m.contact_id
                  and p.purpose = a.purpose) as permitted,
                (select s.lifted_at is null
                from suppression s
                where s.workspace_id = $1
                  and s.recipient_hash = m.recipient_hash
                  and s.purpose = a.purpose) as suppressed,
                case when a.cooling then (select c.until > bareed_now() from cool_off c
                    where c.workspace_id = $1 and c.recipient_hash = m.recipient_hash) end as cools
            offset 0) may
        where m.run_id = a.run_id
          and m.ordinal = a.ordinal
          and m.workspace_id = $1
          and m.state = 'ready'
          and (a.wave_to is null or m.ordinal <= a.wave_to)
          and (m.not_before is null or m.not_before <= bareed_now())
          and (m.closes_at is null or m.closes_at > bareed_now())
          and (may.permitted or a.kind = 'reply' and may.open_window)
          and may.suppressed is not true
          and may.cools is not true
          and (a.barred is null or not exists (
              select from identity i
              where i.workspace_id = $1
                and i.contact_id = m.contact_id
                and i.kind = 'phone'
                and i.value = m.address
                and i.country = any (a.barred)))
          and (may.open_window or place_valid(a.portfolio_id, m.recipient_hash, m.run_id, m.ordinal))
        for update of m) m
)
update message m
set state = 'sending',
    attempt = least(m.attempt + 1, 32767),
    claim_token = pick.token,
    claimed_by = $5,
    claimed_at = bareed_now(),
    claim_deadline = bareed_now() + $6::interval,
    not_before = null,
    feed_after = null,
    updated_at = bareed_now()
from pick
where m.run_id = pick.run_id
  and m.ordinal = pick.ordinal
returning m.run_id, m.ordinal, m.claim_token, m.attempt, m.tries, m.contact_id, m.address, m.parameters, m.recipient_hash,
    pick.campaign_id, pick.template, pick.template_id, pick.number_id, pick.waba_id, pick.portfolio_id, pick.product_policy, pick.activity_sharing`

// sqlClaimTimes bounds a claim on the server, in milliseconds: a claim is good for
// a quarter of a second, so one that waits for somebody's lock is better asked for
// anew, and one whose caller has given up must not be granted afterwards. The
// locks' time is longer than the second after which PostgreSQL looks for a
// deadlock, which is worth a second try at once.
const sqlClaimTimes = `select set_config('lock_timeout', '1500', true), set_config('statement_timeout', '5000', true)`

// ClaimAll claims what may be sent of the wishes, for one workspace, in one
// transaction that is one round trip. Each wish is one slot's: a slot must not
// hold several. When an error is returned nothing may be POSTed, even though
// the commit may have happened: the deadline then turns those rows unknown.
func ClaimAll(ctx context.Context, pool *pg.Pool, ws id.Workspace, by string, wants []Want) ([]Claim, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	runs, ordinals, tokens := make([]id.Run, len(wants)), make([]int32, len(wants)), make([][16]byte, len(wants))
	var known Known
	for i, w := range wants {
		runs[i], ordinals[i], tokens[i] = w.Message.Run, w.Message.Ordinal, w.Token
		if w.Known.N > known.N {
			known = w.Known
		}
	}
	var claims []Claim
	try := func() error {
		b := &pgx.Batch{}
		b.Queue(`begin`)
		b.Queue(pg.SQLLedger, ws)
		b.Queue(sqlClaimTimes)
		b.Queue(sqlClaim, ws, runs, ordinals, tokens, by, ClaimTime, [16]byte(known.Installation), known.N).Query(func(rows pgx.Rows) (err error) {
			claims, err = pgx.CollectRows(rows, scanClaim)
			return err
		})
		b.Queue(`commit`)
		return runBatch(ctx, pool, b)
	}
	err := try()
	if pg.Repeatable(err) { // taken back whole by the server, so that nothing of it is committed
		err = try()
	}
	if err != nil {
		return nil, fmt.Errorf("claim messages: %w", err)
	}
	return claims, nil
}

// runBatch sends a batch that is its own transaction over one connection. A
// batch that fails in the middle leaves the connection inside an aborted
// transaction, so it is rolled back before the pool may lend it again. The rows
// are trusted only when Close, which waits for the commit, gave no error.
func runBatch(ctx context.Context, pool *pg.Pool, b *pgx.Batch) error {
	conn, err := pool.App().Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		rollback, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if _, back := conn.Exec(rollback, `rollback`); back != nil {
			_ = conn.Conn().Close(rollback)
		}
		return err
	}
	return nil
}

func scanClaim(row pgx.CollectableRow) (Claim, error) {
	var c Claim
	var attempt, tries int16
	var policy *string
	var way whatsapp.Marketing
	err := row.Scan(&c.Message.Run, &c.Message.Ordinal, (*[16]byte)(&c.Token), &attempt, &tries, &c.Contact, &c.Address,
		&c.Parameters, &c.Hash, &c.Campaign, &c.Template, &c.TemplateID, &c.Number, &c.WABA, &c.Portfolio, &policy, &way.Sharing)
	if policy != nil {
		way.Policy, c.Marketing = *policy, &way
	}
	c.Attempt, c.Tries = int(attempt), int(tries)
	return c, err
}

// sqlRefused settles wishes that got no claim. A person who may not be messaged
// is suppressed with the reason; for the rest the row stays ready and the
// feeder offers it again after a pause (a closed gate, a missing place).
const sqlRefused = `
with want as (
    select w.run_id, w.ordinal
    from unnest($2::uuid[], $3::int[]) as w(run_id, ordinal)
), why as (
    select m.run_id, m.ordinal, m.reason
    from (
        select want.run_id, want.ordinal, r.purpose, r.waba_id
        from want
        join run r on r.workspace_id = $1 and r.id = want.run_id
        where r.kind <> 'reply'
        order by want.run_id, want.ordinal
        offset 0) w
    cross join lateral (
        select m.run_id, m.ordinal,
            case
                when known.suppressed = 'opted_out' then 'opted_out'
                when known.suppressed = 'erased' then 'deleted'
                when known.suppressed = 'undeliverable' then 'not_on_whatsapp'
                when known.suppressed is not null then 'blocked'
                when known.permission is null then 'no_opt_in'
                when known.permission <> '' then known.permission
                when known.barred then 'country_barred'
                when known.cools then 'cooling_off'
            end as reason
        from message m
        cross join lateral (
            select
                (select case
                    when not p.granted then 'opted_out'
                    when p.expires_at <= bareed_now() then 'consent_expired'
                    else ''
                end
                from permission p
                where p.workspace_id = $1
                  and p.contact_id = m.contact_id
                  and p.purpose = w.purpose) as permission,
                (select s.reason
                from suppression s
                where s.workspace_id = $1
                  and s.recipient_hash = m.recipient_hash
                  and s.purpose = w.purpose
                  and s.lifted_at is null) as suppressed,
                exists (
                    select from country_bar cb
                    join identity i on i.workspace_id = $1 and i.country = cb.country
                    where cb.workspace_id = $1
                      and cb.waba_id = w.waba_id
                      and cb.until > bareed_now()
                      and i.contact_id = m.contact_id
                      and i.kind = 'phone'
                      and i.value = m.address) as barred,
                w.purpose = 'marketing' and (select c.until > bareed_now() from cool_off c
                    where c.workspace_id = $1 and c.recipient_hash = m.recipient_hash) as cools
            offset 0) known
        where m.run_id = w.run_id
          and m.ordinal = w.ordinal
          and m.workspace_id = $1
          and m.state = 'ready'
        for update of m) m
)
update message m
set state = case when why.reason is null then m.state else 'suppressed' end,
    reason = why.reason,
    feed_after = case when why.reason is null then greatest(m.not_before, bareed_now() + interval '5 seconds') end,
    updated_at = bareed_now()
from why
where m.run_id = why.run_id
  and m.ordinal = why.ordinal
returning m.run_id, m.ordinal, m.state = 'suppressed'`

// Refused settles wishes that ClaimAll did not grant.
func Refused(ctx context.Context, tx pgx.Tx, ws id.Workspace, messages []id.Message) error {
	runs, ordinals := split(messages)
	rows, err := tx.Query(ctx, sqlRefused, ws, runs, ordinals)
	if err != nil {
		return fmt.Errorf("settle refused claims: %w", err)
	}
	var m id.Message
	var gone bool
	var over []id.Message
	_, err = pgx.ForEachRow(rows, []any{&m.Run, &m.Ordinal, &gone}, func() error {
		if gone {
			over = append(over, m)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("settle refused claims: %w", err)
	}
	return freePlaces(ctx, tx, ws, over)
}

func split(messages []id.Message) ([]id.Run, []int32) {
	runs, ordinals := make([]id.Run, len(messages)), make([]int32, len(messages))
	for i, m := range messages {
		runs[i], ordinals[i] = m.Run, m.Ordinal
	}
	return runs, ordinals
}
