package sandbox

import (
	"errors"
	"fmt"
	"time"

	"bareed/sandbox/asset"
	"bareed/sandbox/quota"
	"bareed/whatsapp"
)

// What exists is declared in asset's types; callers know them by these names.
type (
	App       = asset.App
	Portfolio = asset.Portfolio
	WABA      = asset.WABA
	Number    = asset.Number
	Template  = asset.Template
	Token     = asset.Token
	Person    = asset.Person
	Seed      = asset.Seed
)

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
	calls       quota.Hour        // of management
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

// inWindow needs mu; a person who wrote in the last 24 hours may be answered freely.
func (n *number) inWindow(wa string, now time.Time) bool { return now.Before(n.windows[wa]) }

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
	v.MarketingStatus = def(v.MarketingStatus, "ELIGIBLE")
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
	s.people[asset.WaID(v.Phone)] = &v
	return nil
}

func def(v, d string) string {
	if v == "" {
		return d
	}
	return v
}
