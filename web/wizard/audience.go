package wizard

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/plan"
	"bareed/contacts"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

const maxAudiencesShown = 200

// audienceView is the second step's own part.
type audienceView struct {
	All    []contacts.Audience
	Chosen int
	One    id.Audience // the chosen one, where there is only one: a file is imported into it
	Reach  plan.Reach  // of the chosen ones, each person once
}

func (s *desk) audienceView(c *front.Call, tx pgx.Tx, v *view, f *ui.Form) (*audienceView, error) {
	a := &audienceView{}
	var err error
	if a.All, err = contacts.ListAudiences(c.Ctx(), tx, c.Actor().Workspace, id.Audience{}, maxAudiencesShown); err != nil {
		return nil, err
	}
	chosen := chosenAudiences(f)
	a.Chosen = len(chosen)
	if len(chosen) == 1 {
		a.One = chosen[0]
	}
	if len(chosen) > 0 {
		a.Reach, err = plan.CountReach(c.Ctx(), tx, c.Actor().Workspace, chosen, v.Campaign.Purpose)
	}
	return a, err
}

// chosenAudiences are the ticked ones in the order of their ids, as a draft
// keeps them.
func chosenAudiences(f *ui.Form) []id.Audience {
	list := []id.Audience{}
	for _, text := range f.Values["audience"] {
		if a, err := id.Parse[id.Audience](text); err == nil && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b id.Audience) int { return slices.Compare(a[:], b[:]) })
	return list
}

func audienceChange(_ *front.Call, f *ui.Form, ch *campaigns.Change) {
	chosen := chosenAudiences(f)
	ch.AudienceIDs = &chosen
}

// deliveryView is the third step's own part.
type deliveryView struct {
	Zone      string
	PerMinute int // what the number may send
	Undo      time.Duration
}

const wallLayout = "2006-01-02T15:04"

// zoneOf is the zone that the draft's time is written in: its own, else the
// workspace's.
func (v *view) zoneOf(c *front.Call) *time.Location {
	if at := v.Campaign.Schedule; at != nil && at.Zone != "" {
		if z, err := time.LoadLocation(at.Zone); err == nil {
			return z
		}
	}
	return c.Locale().Zone
}

func (v *view) fillDelivery(c *front.Call, f *ui.Form) {
	f.Set("when", "now")
	if at := v.Campaign.Schedule; at != nil {
		f.Set("when", "at")
		f.Set("send_at", at.At.In(v.zoneOf(c)).Format(wallLayout))
	}
	f.Set("unknown", "workspace")
	if v.Campaign.UnknownPolicy != "" {
		f.Set("unknown", "own_"+v.Campaign.UnknownPolicy)
	}
	f.Set("speed", "full")
	if v.Campaign.PerMinute > 0 {
		f.Set("speed", "own")
		f.Set("per_minute", strconv.Itoa(v.Campaign.PerMinute))
	}
}

func (s *desk) deliveryView(c *front.Call, v *view) (*deliveryView, error) {
	w, err := c.Workspace()
	return &deliveryView{Zone: v.zoneOf(c).String(), PerMinute: v.Number.PerSecond * 60, Undo: time.Duration(w.UndoSeconds) * time.Second}, err
}

// deliveryChange reads the third step's form. A time that was not touched stays
// as it was written, to the second.
func deliveryChange(c *front.Call, v *view, f *ui.Form, ch *campaigns.Change) {
	at, zone := "", ""
	var pace *int
	if f.Get("when") == "at" {
		need(c, f, "send_at")
		at, zone = f.Get("send_at"), v.zoneOf(c).String()
	}
	if f.Get("speed") == "own" {
		need(c, f, "per_minute")
		if n, err := strconv.Atoi(digits(f.Get("per_minute"))); err == nil {
			pace = &n
		} else {
			f.Add("per_minute", errs.Sentence(c.Lang(), "rate.range", errs.Params{"min": 1, "max": v.Number.PerSecond * 60}))
		}
	}
	ch.PerMinute = &pace
	if policy, ok := strings.CutPrefix(f.Get("unknown"), "own_"); ok || f.Get("unknown") == "workspace" {
		if !ok {
			policy = ""
		}
		ch.UnknownPolicy = &policy
	}
	if was := v.Campaign.Schedule; was == nil && at == "" || was != nil && at == was.At.In(v.zoneOf(c)).Format(wallLayout) {
		return
	}
	ch.SendAt, ch.Zone = &at, &zone
}

// digits reads a number as people write it: digits of both scripts, without
// what stands between thousands.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r == ',' || r == '٬' || r == ' ' || r == '\u00a0':
			return -1
		}
		return r
	}, s)
}
