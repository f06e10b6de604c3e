package money

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/billing"
	"bareed/billing/ratecard"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

// cardLine is a card in the list.
type cardLine struct {
	ratecard.Card
	From, To string // in words; To empty: no end
	Chip     map[string]any
}

func viewCard(c *front.Call, k ratecard.Card) cardLine {
	l := c.Locale()
	v := cardLine{Card: k, From: day(l, k.ValidFrom), To: day(l, k.ValidTo)}
	today := billing.DayOf(c.Clock(), l.Zone).Format("2006-01-02")
	chip := func(kind, icon, key string) {
		v.Chip = map[string]any{"kind": kind, "icon": icon, "text": l.Of("money.state", key)}
	}
	switch {
	case k.ValidTo == k.ValidFrom:
		chip("mute", "close", "replaced")
	case k.ValidFrom > today:
		chip("wait", "clock", "coming")
	case k.ValidTo != "" && k.ValidTo <= today:
		chip("mute", "done", "over")
	default:
		chip("ok", "check", "in_force")
	}
	return v
}

type cardsView struct {
	List         []cardLine
	Older, Newer string
	Lacking      bool // no card is in force
}

func (s desk) cardsPage(c *front.Call) error {
	before, err := front.AfterID[id.RateCard](c, "rate-cards")
	if err != nil {
		return err
	}
	var list []ratecard.Card
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		list, err = ratecard.List(c.Ctx(), tx, c.Actor().Workspace, before, c.Limit()+1)
		return err
	})
	if err != nil {
		return err
	}
	v := cardsView{Newer: c.Newest()}
	list, v.Older = front.Older(c, "rate-cards", list, func(k ratecard.Card) string { return k.ID.String() })
	for _, k := range list {
		v.List = append(v.List, viewCard(c, k))
	}
	v.Lacking = v.Newer == "" && v.Older == "" && !slices.ContainsFunc(v.List, func(l cardLine) bool { return l.Chip["kind"] == "ok" })
	return c.Render("rate-cards", v)
}

type newCardView struct {
	Megabytes int
	Columns   string
	Rows      []string // faults of the file, by row
}

func newView() newCardView {
	return newCardView{Megabytes: ratecard.MaxBytes >> 20, Columns: "market, category, currency, rate, volume_from, volume_to"}
}

func (s desk) newCardPage(c *front.Call) error {
	l := c.Locale()
	f := ui.NewForm(url.Values{"valid_from": {c.Clock().In(l.Zone).Format("2006-01-02")}})
	return c.Render("rate-card-new", newView(), front.WithForm(f))
}

// addCard keeps an uploaded card, or shows what is wrong with it row by row.
func (s desk) addCard(c *front.Call) error {
	c.R.Body = http.MaxBytesReader(c.W, c.R.Body, ratecard.MaxBytes+(1<<20))
	u, err := readForm(c.R)
	var card ratecard.Card
	if err == nil {
		err = c.InWorkspace(func(tx pgx.Tx) (err error) {
			card, err = ratecard.Add(c.Ctx(), tx, c.Actor(), u)
			return err
		})
	}
	if err == nil {
		c.Flash("done", "money.uploaded", "n", card.Rows)
		return c.Redirect("/rate-cards/" + card.ID.String())
	}
	e, ok := errs.As(err)
	if !ok || e.Status() >= 500 {
		return err
	}
	f := ui.NewForm(url.Values{"valid_from": {u.ValidFrom}}).Name("valid_from", c.T("money.valid_from")).Name("file", c.T("money.file"))
	v := newView()
	p := e.Problem(c.Lang())
	if strings.HasPrefix(e.Code, "ratecard.valid_from") || len(e.Fields) > 0 && e.Fields[0].Pointer == "/valid_from" {
		f.Add("valid_from", p.Detail)
	} else {
		f.Add("file", p.Detail)
	}
	for _, field := range e.Fields {
		if field.Row > 0 {
			v.Rows = append(v.Rows, c.T("money.fault", "line", field.Line, "column", field.Column, "text", errs.Sentence(c.Lang(), field.Code, field.Params)))
		}
	}
	return c.Refused(err, "rate-card-new", v, f)
}

// readForm reads the parts of the upload.
func readForm(r *http.Request) (ratecard.Upload, error) {
	var u ratecard.Upload
	parts, err := r.MultipartReader()
	if err != nil {
		return u, errs.New("multipart.syntax").Because(err)
	}
	for range 10 {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(io.LimitReader(part, ratecard.MaxBytes+1))
		}
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return u, errs.New("ratecard.too_large", "limit", ratecard.MaxBytes>>20)
		case err != nil:
			return u, errs.New("multipart.syntax").Because(err)
		case part.FormName() == "valid_from":
			u.ValidFrom = strings.TrimSpace(string(b))
		case part.FormName() == "file":
			u.Name, u.File = part.FileName(), b
		}
	}
	if u.Name == "" {
		return u, errs.New("field.required")
	}
	return u, nil
}

// rateLine is a price as the page shows it.
type rateLine struct {
	Market, Category, Tier, Price string
}

type cardView struct {
	cardLine
	Lines []rateLine
	By    string
}

func (s desk) cardPage(c *front.Call) error {
	card, err := front.ID[id.RateCard](c, "card")
	if err != nil {
		return err
	}
	var v cardView
	err = c.InWorkspace(func(tx pgx.Tx) error {
		k, err := ratecard.Get(c.Ctx(), tx, c.Actor().Workspace, card)
		if err != nil {
			return err
		}
		v.cardLine, v.By = viewCard(c, k), k.UploadedBy
		user, err := id.Parse[id.User](k.UploadedBy)
		if err != nil || !c.Can(accounts.ReadMembers) {
			return nil
		}
		if m, err := accounts.GetMember(c.Ctx(), tx, c.Actor().Workspace, user); err == nil && m.Name != "" {
			v.By = m.Name
		}
		return nil
	})
	if err != nil {
		return err
	}
	l := c.Locale()
	for _, r := range v.Rates {
		line := rateLine{Market: market(l, r.Market), Category: l.Of("money.category", r.Category), Price: number(r.Micros) + " " + v.Currency}
		switch {
		case r.To != 0:
			line.Tier = l.T("money.tier", "from", r.From, "to", r.To)
		case r.From > 1:
			line.Tier = l.T("money.tier.open", "from", r.From)
		}
		v.Lines = append(v.Lines, line)
	}
	return c.Render("rate-card", v)
}

func (s desk) cardFile(c *front.Call) error {
	card, err := front.ID[id.RateCard](c, "card")
	if err != nil {
		return err
	}
	var file []byte
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		_, file, err = ratecard.File(c.Ctx(), tx, c.Actor().Workspace, card)
		return err
	})
	if err != nil {
		return err
	}
	c.Wrote()
	c.W.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.W.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", card.String()+".csv"))
	_, err = c.W.Write(file)
	return err
}
