// Package transports owns the route that says by which of Meta's ways a number's
// account can send marketing.
//
// api registers it. What Meta said is kept by numbers/onboarding.
package transports

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/id"
	"bareed/numbers"
	"bareed/numbers/onboarding"
)

// Register adds the package's route.
func Register(f *front.Front) {
	d := &desk{f}
	front.Add(f, "GET /v1/numbers/{number}/transports", d.read)
}

type desk struct{ *front.Front }

type readInput struct {
	Number id.Number `path:"number"`
}

// Transports is both ways of a number, as Meta said last.
type Transports struct {
	NumberID          id.Number          `json:"number_id"`
	Cloud             CloudTransport     `json:"cloud"`
	MarketingMessages MarketingTransport `json:"marketing_messages"`
}

// CloudTransport is Meta's Cloud API.
type CloudTransport struct {
	Marketing bool `json:"marketing" doc:"It takes marketing templates; false: the account has switched that off, and Meta refuses them with 131063"`
}

// MarketingTransport is Meta's Marketing Messages API.
type MarketingTransport struct {
	Status string `json:"status" doc:"marketing_messages_onboarding_status in Meta's words: ONBOARDED, ELIGIBLE, PENDING_…, INELIGIBLE_…; empty: not told yet"`
	Ready  bool   `json:"ready" doc:"The account is set up for it"`
}

func (d *desk) read(ctx context.Context, a accounts.Actor, in *readInput) (*front.Reply[Transports], error) {
	out := &front.Reply[Transports]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		n, err := numbers.Get(ctx, tx, a.Workspace, in.Number)
		if err != nil {
			return err
		}
		account, err := onboarding.Get(ctx, tx, a.Workspace, n.WABA)
		out.Body = Transports{NumberID: n.ID, Cloud: CloudTransport{Marketing: !account.CloudOff},
			MarketingMessages: MarketingTransport{Status: account.Status, Ready: account.Ready()}}
		return err
	})
	return out, err
}
