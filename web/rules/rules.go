// Package rules owns the page of a workspace's sending rules: every threshold that
// holds a campaign, sizes and times of its waves, and what it is warned of, each
// with its default, what the operator permits, and who last changed it.
//
// web registers it. It judges nothing: campaigns/breaker and campaigns/waves do,
// the same ones that the API calls.
package rules

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/campaigns/breaker"
	"bareed/campaigns/waves"
	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/web/front"
	"bareed/web/ui"
)

const path = "/settings/sending-rules"

// desk has the handlers.
type desk struct{ limits breaker.Limits }

// Register adds the pages; limits are the operator's.
func Register(f *front.Front, limits breaker.Limits) {
	d := desk{limits}
	f.Handle("GET "+path, d.page)
	f.Handle("POST "+path, d.save)
}

// Routes says who may open them.
func Routes() []front.Route {
	return []front.Route{
		{Route: "GET " + path, Action: accounts.ReadWorkspace, Open: true},
		{Route: "POST " + path, Action: accounts.OverrideStops},
	}
}

// view is the page's data.
type view struct {
	Version int
	May     bool
	Groups  []group
}

type group struct {
	ID, Title, Text string
	Lines           []line
}

// line is a rule as it is shown: to be changed, or only read.
type line struct {
	Name, Label, Hint, Suffix, Mode string
	Empty                           string           // what no choice means
	Options                         []map[string]any // of a choice
	Ticks                           bool             // any of Options, or none
	Value                           string           // what is in force
	Changed                         string           // when, by whom, from what to what
}

func (d desk) read(c *front.Call) (r waves.Breaker, names map[string]string, err error) {
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		if r, err = waves.ReadRules(c.Ctx(), tx, c.Actor().Workspace, id.Campaign{}, d.limits); err != nil {
			return err
		}
		names, err = members(c, tx)
		return err
	})
	return r, names, err
}

// members names those who work here by their actor's text.
func members(c *front.Call, tx pgx.Tx) (map[string]string, error) {
	list, err := accounts.ListMembers(c.Ctx(), tx, c.Actor().Workspace, id.User{}, 500)
	names := make(map[string]string, len(list))
	for _, m := range list {
		if names[m.ID.String()] = m.Name; m.Name == "" {
			names[m.ID.String()] = m.Email
		}
	}
	return names, err
}

func (d desk) page(c *front.Call) error {
	r, names, err := d.read(c)
	if err != nil {
		return err
	}
	v, err := d.view(c, r, names)
	if err != nil {
		return err
	}
	form, err := filled(r.Settings)
	if err != nil {
		return err
	}
	return c.Render("sending-rules", v, front.WithForm(ui.NewForm(form)))
}

// filled is the form as it is set: what is not set is empty.
func filled(s breaker.Thresholds) (url.Values, error) {
	set, err := byName(s)
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	for name, v := range set {
		form[name] = []string{plain(v)}
		if name == "off" {
			form[name] = texts(v)
		}
	}
	return form, nil
}

// save sets what was posted in place of what is set. What is wrong is told beside
// its field, and the page comes again as it was left.
func (d desk) save(c *front.Call) error {
	f := c.Form()
	for _, s := range settings {
		f.Name(s.name, c.T("rules.name."+s.name))
	}
	r, names, err := d.read(c)
	if err != nil {
		return err
	}
	posted, ok := d.take(c, f)
	if ok {
		err = c.InWorkspace(func(tx pgx.Tx) error {
			present, err := waves.ReadRules(c.Ctx(), tx, c.Actor().Workspace, id.Campaign{}, d.limits)
			if err != nil {
				return err
			}
			if f.Get("version") != strconv.Itoa(present.Version) {
				return errs.New("version.stale")
			}
			_, err = waves.PutRules(c.Ctx(), tx, c.Actor(), id.Campaign{}, present, posted, d.limits)
			return err
		})
		if err == nil {
			c.Flash("done", "rules.saved")
			return c.Redirect(path)
		}
		if !f.Fail(c.Lang(), err) {
			return err
		}
	}
	v, fault := d.view(c, r, names)
	if fault != nil {
		return fault
	}
	if n, bad := strconv.Atoi(f.Get("version")); bad == nil {
		v.Version = n // who was overtaken reads the page anew before saving
	}
	return c.Refused(err, "sending-rules", v, f)
}

// take reads the form; false: something in it is no value, which it says there.
func (d desk) take(c *front.Call, f *ui.Form) (breaker.Thresholds, bool) {
	set := map[string]any{}
	for _, s := range settings {
		text := f.Get(s.name)
		if s.kind == ticks {
			if ticked := f.Values[s.name]; len(ticked) > 0 {
				set[s.name] = ticked
			}
			continue
		}
		if text == "" {
			continue
		}
		v, ok := s.value(text)
		if !ok {
			f.Add(s.name, c.T("ui.form.number"))
			continue
		}
		set[s.name] = v
	}
	posted, err := thresholds(set)
	return posted, err == nil && !f.Refused()
}

// view puts the rules into words.
func (d desk) view(c *front.Call, r waves.Breaker, names map[string]string) (view, error) {
	v := view{Version: r.Version, May: c.Can(accounts.OverrideStops)}
	set, err := byName(r.Settings)
	if err != nil {
		return v, err
	}
	now, err := byName(r.Policy)
	if err != nil {
		return v, err
	}
	usual, err := byName(d.limits.Resolve())
	if err != nil {
		return v, err
	}
	l := c.Locale()
	for _, g := range []string{"holds", "waves", "warns"} {
		one := group{ID: "rules-" + g, Title: l.Of("rules.group", g), Text: l.Of("rules.group", g+".text")}
		for _, s := range settings {
			if s.group != g || s.kind == ticks && len(r.Optional) == 0 {
				continue
			}
			x := line{Name: s.name, Label: c.T("rules.name." + s.name), Value: said(l, now[s.name]), Ticks: s.kind == ticks,
				Options: s.options(l, r.Optional), Changed: changed(l, r.Changes[s.name], names)}
			if s.unit != "" {
				x.Suffix = l.Of("rules.unit", s.unit)
			}
			x.Mode = map[kind]string{whole: "numeric", share: "decimal"}[s.kind]
			x.Hint = d.hint(l, s, said(l, usual[s.name]), r)
			x.Empty = l.T("rules.default", "value", said(l, usual[s.name]))
			if v, ok := set[s.name]; ok && said(l, v) != x.Value {
				x.Hint += " " + l.T("rules.in_force", "value", x.Value)
			}
			one.Lines = append(one.Lines, x)
		}
		v.Groups = append(v.Groups, one)
	}
	return v, nil
}

// hint says the default and how far the operator lets a workspace go.
func (d desk) hint(l ui.Locale, s setting, usual string, r waves.Breaker) string {
	if s.kind == ticks {
		return l.T("rules.off.hint")
	}
	bound, ok := r.Limits[s.name]
	if !ok {
		return ""
	}
	return l.T("rules.bounds", "value", usual, "least", bound.Least, "most", bound.Most)
}

// changed says who last changed a rule, and how.
func changed(l ui.Locale, x waves.RuleChange, names map[string]string) string {
	if x.At.IsZero() {
		return l.T("rules.unchanged")
	}
	who, ok := names[x.By]
	if !ok {
		kind, _, _ := strings.Cut(strings.ReplaceAll(x.By, ":", "_"), "_")
		who = l.Of("campaigns.actor", kind)
	}
	return l.T("rules.changed", "at", x.At, "who", who, "was", said(l, x.Was), "became", said(l, x.Became))
}

// said is a value in words.
func said(l ui.Locale, v any) string {
	switch v := v.(type) {
	case nil:
		return l.T("rules.unset")
	case []any:
		if len(v) == 0 {
			return l.T("rules.none")
		}
		list := make([]string, len(v))
		for i := range v {
			list[i] = said(l, v[i])
		}
		return strings.Join(list, l.T("rules.comma")+" ")
	case string:
		return l.Of("rules.value", v)
	case bool:
		return l.Of("rules.value", strconv.FormatBool(v))
	}
	return plain(v)
}

// plain is a value as it is typed.
func plain(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case []any:
		return strings.Join(texts(v), ", ")
	}
	return ""
}

func texts(v any) []string {
	all, _ := v.([]any)
	list := make([]string, len(all))
	for i := range all {
		list[i] = plain(all[i])
	}
	return slices.Clip(list)
}
