package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"bareed/sandbox/quota"
	"bareed/whatsapp"
)

// App is a Meta app: where webhooks go and what signs them.
type App struct {
	ID          string `json:"app_id"`
	Name        string `json:"name,omitempty"`
	Secret      string `json:"secret"`
	VerifyToken string `json:"verify_token"`
	CallbackURL string `json:"callback_url"`
}

// Portfolio owns the messaging limit, a tier name such as TIER_2K.
type Portfolio struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Limit string `json:"limit"`
}

// WABA is a business account; AppIDs are subscribed to its webhooks at once.
type WABA struct {
	ID           string   `json:"id"`
	Name         string   `json:"name,omitempty"`
	PortfolioID  string   `json:"portfolio_id"`
	Currency     string   `json:"currency,omitempty"`
	TimezoneID   string   `json:"timezone_id,omitempty"`
	Country      string   `json:"country,omitempty"`
	Status       string   `json:"status,omitempty"`                // ACTIVE
	ReviewStatus string   `json:"account_review_status,omitempty"` // APPROVED
	AppIDs       []string `json:"app_ids,omitempty"`
}

// Number is a sending number. MPS 0 means 80, or 20 with OnBizApp.
type Number struct {
	ID           string `json:"id"`
	WABAID       string `json:"waba_id"`
	DisplayPhone string `json:"display_phone_number"`
	VerifiedName string `json:"verified_name,omitempty"`
	MPS          int    `json:"mps,omitempty"`
	Quality      string `json:"quality_rating,omitempty"` // GREEN
	Status       string `json:"status,omitempty"`         // CONNECTED
	OnBizApp     bool   `json:"is_on_biz_app,omitempty"`
	NameStatus   string `json:"name_status,omitempty"` // APPROVED
	// Health overrides what is derived from status and quality.
	Health string `json:"health,omitempty"`
}

// Template is one language of a template, components in Meta's form.
type Template struct {
	ID              string          `json:"id"`
	WABAID          string          `json:"waba_id"`
	Name            string          `json:"name"`
	Language        string          `json:"language"`
	Category        string          `json:"category,omitempty"`         // MARKETING
	Status          string          `json:"status,omitempty"`           // APPROVED
	Quality         string          `json:"quality_score,omitempty"`    // UNKNOWN
	ParameterFormat string          `json:"parameter_format,omitempty"` // POSITIONAL
	CorrectCategory string          `json:"correct_category,omitempty"`
	Components      json.RawMessage `json:"components"`
}

// Token is an access token. WABAIDs empty means every account; Scopes empty
// means messaging and management.
type Token struct {
	Token     string   `json:"token"`
	AppID     string   `json:"app_id"`
	Revoked   bool     `json:"revoked,omitempty"`
	Scopes    []string `json:"scopes,omitempty"`
	WABAIDs   []string `json:"waba_ids,omitempty"`
	ExpiresAt int64    `json:"expires_at,omitempty"` // seconds since 1970, 0 never
}

// Person is somebody with WhatsApp. Everybody exists without being named; a
// named one can hide the number (only the business-scoped id is then shown).
type Person struct {
	Phone    string `json:"phone"` // E.164
	Name     string `json:"name,omitempty"`
	Username string `json:"username,omitempty"`
	Hidden   bool   `json:"hidden,omitempty"`
}

// Seed is a whole set in one call; what exists is replaced, what was counted stays.
type Seed struct {
	Apps       []App       `json:"apps"`
	Portfolios []Portfolio `json:"portfolios"`
	WABAs      []WABA      `json:"wabas"`
	Numbers    []Number    `json:"numbers"`
	Templates  []Template  `json:"templates"`
	Tokens     []Token     `json:"tokens"`
	People     []Person    `json:"people"`
}

// portfolio, waba and number carry what changes while running.
type portfolio struct {
	Portfolio
	reached quota.Uniques
}

type waba struct {
	WABA
	portfolio   *portfolio
	templates   map[string]*template // by name and language
	order       []*template
	revision    int               // rises with every template change: makes cursors stale
	subscribers map[string]string // app id to override URL ("" for none)
	calls       []time.Time       // management calls of the last hour
}

type number struct {
	Number
	waba    *waba
	profile map[string]any
	rate    quota.Window
	asked   quota.Window
	pairs   quota.Pairs
	windows map[string]time.Time // wa_id to the end of the service window
}

// Apply creates or replaces everything in the seed, in the order that references
// need, and names every fault; what was right stays.
func (s *Server) Apply(seed Seed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(
		each(seed.Apps, s.putApp), each(seed.Portfolios, s.putPortfolio), each(seed.WABAs, s.putWABA), each(seed.Numbers, s.putNumber),
		each(seed.Templates, s.putTemplate), each(seed.Tokens, s.putToken), each(seed.People, s.putPerson),
	)
}

func each[T any](list []T, put func(T) error) error {
	var faults []error
	for _, v := range list {
		faults = append(faults, put(v))
	}
	return errors.Join(faults...)
}

func (s *Server) putApp(v App) error {
	if v.ID == "" || v.Secret == "" {
		return fmt.Errorf("app: app_id and secret are needed")
	}
	s.apps[v.ID] = &v
	return nil
}

func (s *Server) putPortfolio(v Portfolio) error {
	if _, _, ok := whatsapp.ParseTier(v.Limit); v.ID == "" || !ok {
		return fmt.Errorf("portfolio: id and a limit such as TIER_250 are needed")
	}
	if old := s.portfolios[v.ID]; old != nil {
		old.Portfolio = v
		return nil
	}
	s.portfolios[v.ID] = &portfolio{Portfolio: v}
	return nil
}

func (s *Server) putWABA(v WABA) error {
	p := s.portfolios[v.PortfolioID]
	if v.ID == "" || p == nil {
		return fmt.Errorf("waba: id and a known portfolio_id are needed")
	}
	v.Status, v.ReviewStatus = def(v.Status, "ACTIVE"), def(v.ReviewStatus, "APPROVED")
	v.Currency, v.TimezoneID = def(v.Currency, "USD"), def(v.TimezoneID, "1")
	w := s.wabas[v.ID]
	if w == nil {
		w = &waba{templates: map[string]*template{}, subscribers: map[string]string{}}
		s.wabas[v.ID] = w
	}
	w.WABA, w.portfolio = v, p
	for _, app := range v.AppIDs {
		if s.apps[app] == nil {
			return fmt.Errorf("waba: app %s is not known", app)
		}
		w.subscribers[app] = ""
	}
	return nil
}

func (s *Server) putNumber(v Number) error {
	w := s.wabas[v.WABAID]
	if v.ID == "" || w == nil {
		return fmt.Errorf("number: id and a known waba_id are needed")
	}
	if v.MPS <= 0 {
		v.MPS = 80
		if v.OnBizApp {
			v.MPS = 20
		}
	}
	v.Quality, v.Status = def(v.Quality, "GREEN"), def(v.Status, "CONNECTED")
	v.NameStatus, v.VerifiedName = def(v.NameStatus, "APPROVED"), def(v.VerifiedName, "Sandbox business")
	n := s.numbers[v.ID]
	if n == nil {
		n = &number{windows: map[string]time.Time{}, profile: map[string]any{}}
		s.numbers[v.ID] = n
	}
	n.Number, n.waba = v, w
	return nil
}

func (s *Server) putToken(v Token) error {
	if v.Token == "" || s.apps[v.AppID] == nil {
		return fmt.Errorf("token: token and a known app_id are needed")
	}
	if len(v.Scopes) == 0 {
		v.Scopes = []string{scopeManagement, scopeMessaging}
	}
	s.tokens[v.Token] = &v
	return nil
}

func (s *Server) putPerson(v Person) error {
	if !whatsapp.IsE164(v.Phone) {
		return fmt.Errorf("person: phone must be E.164")
	}
	s.people[waID(v.Phone)] = &v
	return nil
}

// digits strips a display number to what Meta writes in webhooks.
func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}

func def(v, d string) string {
	if v == "" {
		return d
	}
	return v
}
