//go:build unix

package simulate

import (
	"context"
	"fmt"

	"bareed/internal/id"
)

// account makes the portfolio with its numbers and one approved template.
func (w *world) account(ctx context.Context) error {
	w.portfolio, w.template = id.New[id.Portfolio](), id.New[id.Template]()
	var limit *int
	if w.Limit > 0 {
		limit = &w.Limit
	}
	app, waba := id.New[id.App](), id.New[id.WABA]()
	type statement struct {
		text string
		args []any
	}
	list := []statement{
		{`insert into portfolio (id, meta_business_id, messaging_limit, limit_known, reserve) values ($1, 'simulated', $2, true, $3)`,
			[]any{w.portfolio, limit, w.Reserve}},
		{`insert into meta_app (id, organisation_id, meta_app_id, secret, verify_token)
			select $1, organisation_id, 'simulated', '\x00', '\x00' from workspace where workspace_id = $2`, []any{app, w.ws}},
		{`insert into waba (workspace_id, id, meta_waba_id, portfolio_id, app_id, token, token_hint) values ($1, $2, 'simulated', $3, $4, '\x00', '')`,
			[]any{w.ws, waba, w.portfolio, app}},
		{`insert into template (workspace_id, id, waba_id, meta_template_id, name, language, category, status, components, components_hash)
			values ($1, $2, $3, 'simulated', 'simulated', 'en', 'MARKETING', 'APPROVED', '[{"type":"BODY","text":"The shop is open."}]', '\x00')`,
			[]any{w.ws, w.template, waba}},
	}
	for i := range w.Numbers {
		number, audience := id.New[id.Number](), id.New[id.Audience]()
		w.numbers, w.audiences = append(w.numbers, number), append(w.audiences, audience)
		list = append(list, statement{`insert into number (workspace_id, id, waba_id, portfolio_id, app_id, phone_number_id, display_phone, quality, status, per_second)
			values ($1, $2, $3, $4, $5, $6, '+15550100000', 'GREEN', 'CONNECTED', $7)`, []any{w.ws, number, waba, w.portfolio, app, fmt.Sprint(i), w.Rate}},
			statement{`insert into audience (workspace_id, id, name, created_by) values ($1, $2, $3, 'system:simulate')`,
				[]any{w.ws, audience, fmt.Sprintf("People %d", i)}})
	}
	for _, s := range list {
		if err := w.exec(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// people makes everybody with a phone and a consent, and shares them among the
// audiences.
func (w *world) people(ctx context.Context) error {
	for _, text := range []string{
		`create temporary table person as select i, gen_random_uuid() as id, '+9665' || lpad(i::text, 8, '0') as phone from generate_series(0, $1::int - 1) as i`,
		`insert into contact (workspace_id, id, name) select $1, id, 'Amal' from person`,
		`insert into identity (workspace_id, contact_id, kind, key, value, country) select $1, id, 'phone', phone, phone, 'SA' from person`,
		`insert into permission (workspace_id, contact_id, purpose, granted, consent_id, since)
			select $1, id, 'marketing', true, gen_random_uuid(), bareed_now() - interval '1 day' from person`,
	} {
		var arg any = w.ws
		if text[:6] == "create" {
			arg = w.People
		}
		if err := w.exec(ctx, text, arg); err != nil {
			return err
		}
	}
	err := w.exec(ctx, `insert into audience_member (workspace_id, audience_id, contact_id)
		select $1, ($2::uuid[])[1 + i % cardinality($2::uuid[])], id from person`, w.ws, w.audiences)
	if err != nil {
		return err
	}
	// A running database has statistics.
	return w.exec(ctx, `analyze contact, identity, permission, audience_member`)
}
