package api_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/internal/fixture"
)

// matrixCall is a request of the matrix that is more than a JSON body.
type matrixCall struct {
	Body        string
	ContentType string
	Query       string // "a=1&b=2"
}

// matrixBodies gives for each row that needs one a body that the row accepts,
// made for the tenant when it is called: a value to write as JSON, or a
// matrixCall. A row that takes no body is left out.
func matrixBodies(t testing.TB, r *rig, tenant fixture.Tenant) map[string]func() any {
	t.Helper()
	return map[string]func() any{
		"PUT /v1/me/password": func() any {
			return map[string]any{"current": fixture.Password, "new": "another long sentence entirely"}
		},
		"PATCH /v1/sessions/current": func() any { return map[string]any{"workspace": tenant.Workspace} },
		"PATCH /v1/workspace":        func() any { return map[string]any{"retention_days": 30} },
		"POST /v1/api-keys": func() any {
			return map[string]any{"name": "matrix", "live": false, "scopes": []string{"reports:read"}}
		},
		"POST /v1/numbers": func() any {
			ids := fixture.RandomIDs()
			return map[string]any{"app_id": ids.App, "app_secret": "a-secret-of-meta", "waba_id": ids.WABA, "phone_number_id": ids.Number, "token": "EAA0123456789"}
		},
		"PUT /v1/numbers/{number}/token": func() any { return map[string]any{"token": "EAA0123456789"} },
		"POST /v1/members": func() any {
			return map[string]any{"email": fixture.Email(), "name": "New", "role": "viewer", "password": fixture.Password}
		},
		"POST /v1/audiences": func() any { return map[string]any{"name": fixture.Email()} },
		"POST /v1/audiences/{audience}/imports": func() any {
			return matrixCall{Body: "phone,name\n+966501234567," + fixture.Email() + "\n", ContentType: "text/csv"}
		},
		"POST /v1/consents":                     func() any { return map[string]any{"action": "opt_out", "phone": "+966501234567"} },
		"POST /v1/contacts/{contact}/opt-out":   func() any { return map[string]any{} },
		"POST /v1/campaigns":                    func() any { return campaignBody(t, r, tenant) },
		"PATCH /v1/campaigns/{campaign}":        func() any { return map[string]any{"version": 1} },
		"POST /v1/campaigns/{campaign}/launch":  checkedCampaign(t, r, tenant),
		"POST /v1/campaigns/{campaign}/pause":   launchedCampaign(t, r, tenant),
		"POST /v1/campaigns/{campaign}/resume":  func() any { launchedCampaign(t, r, tenant)(); return map[string]any{} },
		"POST /v1/campaigns/{campaign}/stop":    launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/template": launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/report":   launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/cost":     launchedCampaign(t, r, tenant),

		"GET /v1/campaigns/{campaign}/differences":          launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/differences/rows.csv": launchedCampaign(t, r, tenant),

		"POST /v1/rate-cards": func() any {
			return matrixCall{Body: fixture.FakeCard, ContentType: "text/csv", Query: "valid_from=2026-10-01"}
		},

		"GET /v1/campaigns/{campaign}/unconfirmed":         launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/certificate":         launchedCampaign(t, r, tenant),
		"POST /v1/campaigns/{campaign}/unconfirmed/resend": silentCampaign(t, r, tenant),
		"POST /v1/campaigns/{campaign}/unconfirmed/close":  silentCampaign(t, r, tenant),
		"PATCH /v1/portfolios/{portfolio}":                 func() any { return map[string]any{"reserve": 0.2} },
		"PUT /v1/portfolios/{portfolio}/shares/{share}":    func() any { return map[string]any{"places": 50} },
		"PUT /v1/campaigns/{campaign}/priority":            func() any { return map[string]any{"priority": "low"} },
		"PATCH /v1/members/{user}":                         func() any { return map[string]any{"role": "marketer"} },

		"PUT /v1/breaker":                           func() any { return map[string]any{} },
		"PUT /v1/campaigns/{campaign}/breaker":      func() any { return map[string]any{} },
		"GET /v1/campaigns/{campaign}/waves":        launchedCampaign(t, r, tenant),
		"GET /v1/campaigns/{campaign}/held":         launchedCampaign(t, r, tenant),
		"POST /v1/campaigns/{campaign}/held/return": droppedCampaign(t, r, tenant),

		"PUT /v1/sending-rules":                  func() any { return map[string]any{} },
		"PUT /v1/campaigns/{campaign}/frequency": func() any { return map[string]any{"pass": false} },
		"PUT /v1/budget":                         func() any { return map[string]any{} },
		"PUT /v1/campaigns/{campaign}/budget":    func() any { return map[string]any{} },
	}
}

// silentCampaign launches the tenant's newest campaign and leaves one message of
// it without an answer.
func silentCampaign(t testing.TB, r *rig, tenant fixture.Tenant) func() any {
	launch := launchedCampaign(t, r, tenant)
	return func() any {
		launch()
		fixture.In(t, r.pool, tenant.Workspace, func(tx pgx.Tx) error {
			for _, sql := range []string{
				`update campaign set state = 'running' where workspace_id = $1 and state = 'starting'`,
				`update run set state = 'running' where workspace_id = $1 and state = 'planning'`,
				`insert into message (workspace_id, run_id, ordinal, contact_id, recipient_key, recipient_hash, address, state, reason,
					attempt, claim_token, claimed_at)
				select r.workspace_id, r.id, 1, gen_random_uuid(), 'p:1', '\x00', '', 'unconfirmed', 'no_answer', 1, gen_random_uuid(), bareed_now()
				from run r where r.workspace_id = $1 and r.state = 'running'
				on conflict do nothing`} {
				if _, err := tx.Exec(t.Context(), sql, tenant.Workspace); err != nil {
					return err
				}
			}
			return nil
		})
		return map[string]any{"expected": 1}
	}
}

// droppedCampaign is silentCampaign whose message Meta held and dropped.
func droppedCampaign(t testing.TB, r *rig, tenant fixture.Tenant) func() any {
	silent := silentCampaign(t, r, tenant)
	return func() any {
		body := silent()
		fixture.In(t, r.pool, tenant.Workspace, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update message set state = 'held', reason = 'meta_132015', wamid = 'w', accepted_at = bareed_now()
				where workspace_id = $1 and state in ('unconfirmed', 'ready')`, tenant.Workspace)
			return err
		})
		return body
	}
}
