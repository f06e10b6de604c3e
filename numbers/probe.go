package numbers

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"bareed/internal/errs"
	"bareed/whatsapp"
)

// Connection is what a person gives to connect a number: ids as Meta shows
// them, digits only. AppSecret and Token are secrets and stay in memory only
// until they are sealed.
type Connection struct {
	AppID         string
	AppSecret     string
	VerifyToken   string // "": one is made, or the app's stays
	WABAID        string
	PhoneNumberID string
	Token         whatsapp.Token
}

// Probed is what Meta said about a connection.
type Probed struct {
	Number whatsapp.PhoneNumber
	WABA   whatsapp.WABA
}

// Probe asks Meta whether a connection works. It is handed to api by cmd, the
// one call to Meta outside the worker, because a person waits for the answer.
type Probe func(ctx context.Context, c Connection) (Probed, error)

// scopes a token must have: to send, and to read numbers and templates.
func scopes() []string {
	return []string{"whatsapp_business_messaging", "whatsapp_business_management"}
}

// NewProbe makes the probe that asks Meta through client: the app's secret and
// the token, the account with its portfolio, the number, and the subscription
// to webhooks. It changes nothing but the subscription, which may be repeated.
func NewProbe(client *whatsapp.Client) Probe {
	return func(ctx context.Context, c Connection) (Probed, error) {
		if err := probeToken(ctx, client, c); err != nil {
			return Probed{}, err
		}
		var p Probed
		var err error
		if p.WABA, err = client.GetWABA(ctx, c.Token, c.WABAID); err != nil {
			return Probed{}, probeFailed(err, "/waba_id")
		}
		if p.WABA.PortfolioID == "" {
			return Probed{}, errs.New("number.portfolio_unknown")
		}
		all, err := client.ListPhoneNumbers(ctx, c.Token, c.WABAID)
		if err != nil {
			return Probed{}, probeFailed(err, "/waba_id")
		}
		at := slices.IndexFunc(all, func(n whatsapp.PhoneNumber) bool { return n.ID == c.PhoneNumberID })
		if at < 0 {
			return Probed{}, errs.New("number.unknown_to_meta").At("/phone_number_id", "")
		}
		p.Number = all[at]
		if err := client.SubscribeApp(ctx, c.Token, c.WABAID, whatsapp.Subscription{}); err != nil {
			return Probed{}, probeFailed(err, "/waba_id")
		}
		return p, nil
	}
}

// probeToken inspects the token with the app's own credential (id and secret,
// Meta's "app access token"), which proves the secret at the same time.
func probeToken(ctx context.Context, client *whatsapp.Client, c Connection) error {
	app := whatsapp.Token(c.AppID + "|" + c.AppSecret)
	info, err := client.DebugToken(ctx, app, c.Token)
	if err != nil {
		return appFailed(err)
	}
	if !info.Valid {
		return errs.New("number.token_invalid").At("/token", "")
	}
	if info.AppID != "" && info.AppID != c.AppID {
		return errs.New("number.other_app").At("/token", "")
	}
	for _, scope := range scopes() {
		if !slices.Contains(info.Scopes, scope) {
			return errs.New("number.scope_missing", "scope", scope).At("/token", "")
		}
	}
	return nil
}

// appFailed words a failed inspection: with the app's credential, a refusal
// means the app's id or secret is wrong.
func appFailed(err error) error {
	var refused *whatsapp.Error
	if errors.As(err, &refused) && refused.HTTPStatus < http.StatusInternalServerError && !throttled(refused) {
		return errs.New("number.app_secret_wrong").At("/app_secret", "").Because(err)
	}
	return errs.New("meta.unreachable").Because(err)
}

// probeFailed words any other failed question. pointer is the input it was about.
func probeFailed(err error, pointer string) error {
	var refused *whatsapp.Error
	switch {
	case errors.Is(err, whatsapp.ErrMalformedID):
		return errs.New("number.unknown_to_meta").At(pointer, "")
	case !errors.As(err, &refused), refused.HTTPStatus >= http.StatusInternalServerError, throttled(refused):
		return errs.New("meta.unreachable").Because(err)
	case refused.Code == whatsapp.CodeTokenExpired, refused.Code == 0 && refused.HasCode:
		return errs.New("number.token_invalid").At("/token", "").Because(err)
	case refused.Class.HandlingClass == "fix-credentials":
		return errs.New("number.not_allowed").At(pointer, "").Because(err)
	default:
		return errs.New("number.unknown_to_meta").At(pointer, "").Because(err)
	}
}

func throttled(e *whatsapp.Error) bool { return e.HasCode && e.Class.Outcome == whatsapp.RefusedForNow }

// Problem names the failure of a poll as waba.sync_problem keeps it:
// token_invalid, not_allowed, throttled, refused or unreachable.
func Problem(err error) string {
	var refused *whatsapp.Error
	switch {
	case !errors.As(err, &refused):
		return "unreachable"
	case throttled(refused):
		return "throttled"
	case refused.HTTPStatus >= http.StatusInternalServerError:
		return "unreachable"
	case refused.HasCode && (refused.Code == whatsapp.CodeTokenExpired || refused.Code == 0):
		return TokenInvalid
	case refused.HasCode && refused.Class.HandlingClass == "fix-credentials":
		return NotAllowed
	default:
		return "refused"
	}
}

// Problems that open a stop: nothing can be sent with such a token.
const (
	TokenInvalid = "token_invalid"
	NotAllowed   = "not_allowed"
)
