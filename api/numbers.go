package api

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/messages"
	"bareed/numbers"
	"bareed/whatsapp"
	"bareed/whatsapp/codes"
)

func (s *Server) numbers() {
	add(s, "GET /v1/numbers", s.listNumbers)
	add(s, "POST /v1/numbers", s.connectNumber)
	add(s, "GET /v1/numbers/{number}", s.getNumber)
	add(s, "PUT /v1/numbers/{number}/token", s.rotateToken)
	add(s, "DELETE /v1/numbers/{number}", s.disconnectNumber)
}

// numberView is a number as it is shown; secrets are only hinted at.
type numberView struct {
	ID             id.Number       `json:"id"`
	WABAID         id.WABA         `json:"waba_id"`
	PortfolioID    id.Portfolio    `json:"portfolio_id"`
	MetaWABAID     string          `json:"meta_waba_id"`
	PhoneNumberID  string          `json:"phone_number_id" doc:"Meta's id of the number"`
	DisplayPhone   string          `json:"display_phone"`
	VerifiedName   string          `json:"verified_name"`
	Status         string          `json:"status" doc:"Meta's word; only CONNECTED may send"`
	Quality        string          `json:"quality" doc:"GREEN, YELLOW, RED or UNKNOWN, over the last seven days"`
	CanSend        bool            `json:"can_send" doc:"Meta lets it send and no stop is open on it or above"`
	PerSecond      int             `json:"per_second" doc:"Messages a second Meta takes from it"`
	Coexistence    bool            `json:"coexistence" doc:"Shared with the phone app: 20 messages a second"`
	Limit          numberLimit     `json:"limit"`
	ReviewStatus   string          `json:"review_status,omitempty"`
	Stops          []stopView      `json:"stops" doc:"Open stops on the number, its WABA, portfolio or workspace"`
	Token          tokenView       `json:"token"`
	SyncedAt       *time.Time      `json:"synced_at" doc:"When Meta was last asked with success"`
	Health         *healthView     `json:"health,omitempty" doc:"Meta's own answer to whether it can send"`
	SyncProblem    string          `json:"sync_problem,omitempty" doc:"Why the last question to Meta failed: token_invalid, not_allowed, throttled, refused, unreachable"`
	CreatedAt      time.Time       `json:"created_at"`
	DisconnectedAt *time.Time      `json:"disconnected_at,omitempty"`
	Webhook        *webhookView    `json:"webhook,omitempty"`
	History        *[]numbers.Past `json:"history,omitempty" doc:"What Meta changed, newest first"`
}

// numberLimit is the messaging limit of the portfolio, which all its numbers share.
type numberLimit struct {
	Known     bool   `json:"known" doc:"False: Meta has not told it yet, and nothing is sent outside service windows"`
	Unlimited bool   `json:"unlimited"`
	People    *int   `json:"people" doc:"Unique people in 24 hours; null when unlimited or unknown"`
	Used      int64  `json:"used" doc:"Places taken now"`
	Reserve   string `json:"reserve" doc:"Part kept free for other tools of the same portfolio, as a percentage"`
}

// tokenView is all that is ever shown of a token.
type tokenView struct {
	Hint  string    `json:"hint" doc:"Its last four characters"`
	SetAt time.Time `json:"set_at"`
}

// webhookView is what is entered in the App Dashboard.
type webhookView struct {
	Path        string `json:"path"`
	VerifyToken string `json:"verify_token,omitempty" doc:"Shown once, when it was made here"`
}

// stopView is an open stop as a number or template shows it.
type stopView struct {
	ID        id.Stop          `json:"id"`
	Scope     messages.Scope   `json:"scope"`
	Reason    string           `json:"reason"`
	ByRule    bool             `json:"by_rule"`
	Threshold string           `json:"threshold,omitempty"`
	Measured  string           `json:"measured,omitempty"`
	MetaCode  *int             `json:"meta_code,omitempty" doc:"Meta's code that opened it"`
	MetaError *codes.MetaError `json:"meta_error,omitempty" doc:"The code in words"`
	Since     time.Time        `json:"since"`
	Until     *time.Time       `json:"until" doc:"Ends by itself then; null: a person resumes"`
}

func viewStops(ctx context.Context, stops []messages.Stop, scopes ...[16]byte) []stopView {
	list := []stopView{}
	for _, o := range stops {
		if slices.Contains(scopes, o.ScopeID) {
			v := stopView{ID: o.ID, Scope: o.Scope, Reason: o.Reason, ByRule: o.ByRule, Threshold: o.Threshold, Measured: o.Measured,
				MetaCode: o.Code, Since: o.Since, Until: o.Until}
			if o.Code != nil {
				told := codes.Tell(front.Lang(ctx), *o.Code, false)
				v.MetaError = &told
			}
			list = append(list, v)
		}
	}
	return list
}

// viewNumbers adds limits and open stops, each asked for once.
func viewNumbers(ctx context.Context, tx pgx.Tx, ws id.Workspace, list []numbers.Number) ([]numberView, error) {
	portfolios := map[id.Portfolio]numbers.Portfolio{}
	scopes := [][16]byte{ws}
	for _, n := range list {
		scopes = append(scopes, n.ID, n.WABA, n.Portfolio)
		if _, ok := portfolios[n.Portfolio]; ok {
			continue
		}
		p, err := numbers.GetPortfolio(ctx, tx, n.Portfolio)
		if err != nil {
			return nil, err
		}
		portfolios[n.Portfolio] = p
	}
	stops, err := messages.OpenStops(ctx, tx, ws, scopes...)
	if err != nil {
		return nil, err
	}
	views := make([]numberView, len(list))
	for i, n := range list {
		views[i] = viewNumber(n, portfolios[n.Portfolio], viewStops(ctx, stops, ws, n.ID, n.WABA, n.Portfolio))
	}
	return views, nil
}

func viewNumber(n numbers.Number, p numbers.Portfolio, stops []stopView) numberView {
	return numberView{
		ID: n.ID, WABAID: n.WABA, PortfolioID: n.Portfolio, MetaWABAID: n.MetaWABAID, PhoneNumberID: n.PhoneNumberID,
		DisplayPhone: n.DisplayPhone, VerifiedName: n.VerifiedName, Status: n.Status, Quality: n.Quality,
		CanSend: n.CanSend() && len(stops) == 0, PerSecond: n.PerSecond, Coexistence: n.OnBizApp,
		Limit:        numberLimit{Known: p.Known, Unlimited: p.Known && p.Limit == nil, People: p.Limit, Used: p.Used, Reserve: percent(p.Reserve)},
		ReviewStatus: n.ReviewStatus, Stops: stops, Token: tokenView{n.TokenHint, n.TokenSetAt}, SyncedAt: n.SyncedAt,
		Health: viewHealth(n.Health, n.HealthAt), SyncProblem: n.SyncProblem, CreatedAt: n.CreatedAt, DisconnectedAt: n.DisconnectedAt,
	}
}

func percent(part float32) string { return strconv.Itoa(int(part*100+0.5)) + "%" }

type listNumbersInput struct{ Paging }

func (s *Server) listNumbers(ctx context.Context, a accounts.Actor, in *listNumbersInput) (*list[numberView], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	var views []numberView
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		all, err := numbers.List(ctx, tx, a.Workspace)
		if err != nil {
			return err
		}
		if all, err = behind(all, p.After); err != nil {
			return err
		}
		views, err = viewNumbers(ctx, tx, a.Workspace, all[:min(len(all), p.Limit+1)])
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, views, func(v numberView) string { return numberPlace(v.CreatedAt, v.ID) }), nil
}

type numberOutput = versioned[numberView]

// numberTag names the version of what can be edited of a number: its token, and
// whether it is connected.
func numberTag(n numbers.Number) string {
	return front.ETag([]any{n.ID, n.TokenHint, n.TokenSetAt, n.DisconnectedAt})
}

// numberPlace names a number in a cursor by what the list is sorted by, so that
// one that is disconnected in the meantime takes no other with it.
func numberPlace(created time.Time, n id.Number) string {
	return created.UTC().Format(time.RFC3339Nano) + " " + n.String()
}

// behind leaves out the numbers up to the cursor's.
func behind(all []numbers.Number, after string) ([]numbers.Number, error) {
	if after == "" {
		return all, nil
	}
	text, last, _ := strings.Cut(after, " ")
	created, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return nil, errs.New("page.cursor")
	}
	return slices.DeleteFunc(all, func(n numbers.Number) bool {
		return n.CreatedAt.Before(created) || n.CreatedAt.Equal(created) && n.ID.String() <= last
	}), nil
}

type connectInput struct {
	Body struct {
		AppID         string `json:"app_id" doc:"Meta's id of the app" maxLength:"32"`
		AppSecret     string `json:"app_secret" doc:"Of the app; never shown again" maxLength:"1000"`
		VerifyToken   string `json:"verify_token,omitempty" doc:"For the webhook's handshake; made here when not given" maxLength:"200"`
		WABAID        string `json:"waba_id" doc:"Meta's id of the WhatsApp account" maxLength:"32"`
		PhoneNumberID string `json:"phone_number_id" doc:"Meta's id of the number" maxLength:"32"`
		Token         string `json:"token" doc:"Access token of a system user; never shown again" maxLength:"1000"`
	}
}

// connectNumber asks Meta first, outside any transaction, and keeps the number
// only when Meta said yes.
func (s *Server) connectNumber(ctx context.Context, a accounts.Actor, in *connectInput) (*numberOutput, error) {
	b := in.Body
	c := numbers.Connection{AppID: b.AppID, AppSecret: b.AppSecret, VerifyToken: b.VerifyToken, WABAID: b.WABAID,
		PhoneNumberID: b.PhoneNumberID, Token: whatsapp.Token(b.Token)}
	if err := c.Check(); err != nil {
		return nil, err
	}
	box, err := s.Vault.Box(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	probed, err := s.probeMeta(ctx, c)
	if err != nil {
		return nil, err
	}
	var out numberOutput
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		made, err := numbers.Connect(ctx, tx, numbers.Keys{Workspace: box, System: s.Vault.System()}, a, c, probed)
		if err != nil {
			return err
		}
		if err := messages.TokenReplaced(ctx, tx, a.Workspace, made.Number.WABA, a.String()); err != nil {
			return err
		}
		out.ETag, out.Location = numberTag(made.Number), "/v1/numbers/"+made.Number.ID.String()
		out.Body, err = s.describeNumber(ctx, tx, a, made.Number)
		if err == nil {
			out.Body.Webhook.VerifyToken = made.VerifyToken
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

func (s *Server) probeMeta(ctx context.Context, c numbers.Connection) (numbers.Probed, error) {
	if s.Probe == nil {
		return numbers.Probed{}, errs.New("meta.unreachable")
	}
	return s.Probe(ctx, c)
}

// describeNumber is the whole view of one number, with its history.
func (s *Server) describeNumber(ctx context.Context, tx pgx.Tx, a accounts.Actor, n numbers.Number) (numberView, error) {
	views, err := viewNumbers(ctx, tx, a.Workspace, []numbers.Number{n})
	if err != nil {
		return numberView{}, err
	}
	v := views[0]
	past, err := numbers.History(ctx, tx, a.Workspace, 50, n.ID.String(), n.WABA.String(), n.Portfolio.String())
	if err != nil {
		return numberView{}, err
	}
	v.History = &past
	v.Webhook = &webhookView{Path: "/webhooks/meta/" + n.MetaAppID}
	return v, nil
}

type numberInput struct {
	Number string `path:"number"`
}

func (in numberInput) id() (id.Number, error) {
	n, err := id.Parse[id.Number](in.Number)
	if err != nil {
		return n, errs.New("not_found")
	}
	return n, nil
}

func (s *Server) getNumber(ctx context.Context, a accounts.Actor, in *numberInput) (*numberOutput, error) {
	number, err := in.id()
	if err != nil {
		return nil, err
	}
	var out numberOutput
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error { return s.readNumber(ctx, tx, a, number, &out) })
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// readNumber answers with the number as it stands in tx.
func (s *Server) readNumber(ctx context.Context, tx pgx.Tx, a accounts.Actor, number id.Number, out *numberOutput) error {
	n, err := numbers.Get(ctx, tx, a.Workspace, number)
	if err != nil {
		return err
	}
	out.ETag = numberTag(n)
	out.Body, err = s.describeNumber(ctx, tx, a, n)
	return err
}

type rotateInput struct {
	Number  string `path:"number"`
	IfMatch string `header:"If-Match" doc:"The ETag of what was read; looked at when it is sent"`
	Body    struct {
		Token string `json:"token" doc:"The new access token; never shown again" maxLength:"1000"`
	}
}

// rotateToken asks Meta about the new token before it replaces the old one.
func (s *Server) rotateToken(ctx context.Context, a accounts.Actor, in *rotateInput) (*numberOutput, error) {
	number, err := numberInput{in.Number}.id()
	if err != nil {
		return nil, err
	}
	box, err := s.Vault.Box(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	n, c, err := s.offered(ctx, a, number, in)
	if err != nil {
		return nil, err
	}
	if _, err := s.probeMeta(ctx, c); err != nil {
		return nil, err
	}
	var out numberOutput
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		if err := numbers.SetToken(ctx, tx, box, a, n, c.Token); err != nil {
			return err
		}
		if err := messages.TokenReplaced(ctx, tx, a.Workspace, n.WABA, a.String()); err != nil {
			return err
		}
		return s.readNumber(ctx, tx, a, number, &out)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// offered is the number that a new token is for, and its connection with that token.
func (s *Server) offered(ctx context.Context, a accounts.Actor, number id.Number, in *rotateInput) (n numbers.Number, c numbers.Connection, err error) {
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		if n, err = numbers.Get(ctx, tx, a.Workspace, number); err != nil {
			return err
		}
		if err := front.Match(in.IfMatch, numberTag(n), false); err != nil {
			return err
		}
		c, err = n.Connection(ctx, tx, s.Vault.System(), whatsapp.Token(in.Body.Token))
		return err
	})
	if err == nil {
		err = c.Check()
	}
	if err == nil && n.DisconnectedAt != nil {
		err = errs.New("number.not_connected")
	}
	return n, c, err
}

func (s *Server) disconnectNumber(ctx context.Context, a accounts.Actor, in *numberInput) (*struct{}, error) {
	number, err := in.id()
	if err != nil {
		return nil, err
	}
	box, err := s.Vault.Box(ctx, a.Workspace)
	if err != nil {
		return nil, err
	}
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return numbers.Disconnect(ctx, tx, box, a, number)
	})
	return nil, err
}
