//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bareed/internal/e2e/look"
	"bareed/internal/rig"
)

// busyCampaign launches another campaign of the busy tenant through the API,
// like the one that was walked through.
func (w *walker) busyCampaign(ctx context.Context) (string, error) {
	busy := *w.world
	busy.still, busy.ids = w.world.busy, map[string][]string{}
	if err := busy.contacts(ctx); err != nil {
		return "", err
	}
	return busy.sent(ctx, "Held by a rule")
}

// hold drops the number's quality at Meta while a campaign runs: it is held, its
// page says why and what to do, and a person resumes it.
func (w *walker) hold(ctx context.Context, t *look.Tab) error {
	var err error
	if w.held, err = w.busyCampaign(ctx); err != nil {
		return err
	}
	if err := w.quality(ctx, "YELLOW"); err != nil {
		return err
	}
	page := w.world.rig.URL + "/campaigns/" + w.held
	return steps(
		func() error { return w.lowered(ctx) },
		func() error { return w.in(t, w.world.busy.Owner) },
		func() error { return t.Open(page) },
		func() error { return t.Has(".campaign-stop .pairs") }, // why, since when, who may clear it
		func() error { return w.judged(t, "the held campaign") },
		func() error { return w.stopped(ctx) },
		func() error { return t.Open(page + "/resume") },
		func() error {
			return each(t, "input[name=stop]", func(i int) error { return t.Click(fmt.Sprintf("section:nth-of-type(%d) input[name=stop]", i+1)) })
		},
		func() error { return t.Fill("#reason", "Meta was asked, the template is mended") },
		func() error { return w.judged(t, "the question before resuming") },
		func() error { return t.Press(next) },
		func() error { return w.completed(ctx, t) },
	)
}

// lowered waits until the rule has seen the lower quality. Meta's old event only
// flags the number, which holds too; the quality itself is asked for a little later.
func (w *walker) lowered(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return rig.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		var r struct{ Stops []struct{ Reason string } }
		err := w.world.rig.Call(ctx, w.world.busy.Key, "GET", "/v1/campaigns/"+w.held+"/report", nil, &r)
		for _, s := range r.Stops {
			if s.Reason == "quality_yellow" {
				return true, nil
			}
		}
		return false, err
	})
}

// completed waits for the end on the page; when it does not come it asks the API
// how the campaign stands, which tells a stale page from a campaign that waits.
func (w *walker) completed(ctx context.Context, t *look.Tab) error {
	err := t.See(w.text("campaigns.state.completed"))
	if err == nil {
		return nil
	}
	var report map[string]any
	if e := w.world.rig.Call(ctx, w.world.busy.Key, "GET", "/v1/campaigns/"+w.held+"/report", nil, &report); e != nil {
		return errors.Join(err, e)
	}
	return fmt.Errorf("%w; the report says %v", err, report)
}

// stopped has one of the held people write STOP, and waits until the ledger of
// consent says so. The next journey looks at it.
func (w *walker) stopped(ctx context.Context) error {
	call := func(path string, out any) error {
		return w.world.rig.Call(ctx, w.world.busy.Key, "GET", path, nil, out)
	}
	var waiting struct {
		Data []struct {
			Address string
			Contact string `json:"contact_id"`
		}
	}
	if err := call("/v1/campaigns/"+w.held+"/recipients?state=ready&limit=1", &waiting); err != nil {
		return err
	}
	if len(waiting.Data) == 0 {
		return fmt.Errorf("nobody is waiting: the campaign was not held in time")
	}
	w.left = waiting.Data[0].Contact
	err := w.world.rig.Control(ctx, "/sandbox/inbound", map[string]any{"phone_number_id": w.world.busy.Meta.Number, "from": waiting.Data[0].Address, "text": "STOP"}, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return rig.Until(ctx, 100*time.Millisecond, func() (bool, error) {
		var ledger struct{ Data []struct{ Action string } }
		err := call("/v1/contacts/"+w.left+"/consents?limit=1", &ledger)
		return len(ledger.Data) > 0 && ledger.Data[0].Action == "opt_out", err
	})
}

func (w *walker) quality(ctx context.Context, rating string) error {
	return w.world.rig.Control(ctx, "/sandbox/number", map[string]any{"phone_number_id": w.world.busy.Meta.Number, "quality_rating": rating, "webhook": true}, nil)
}

// optOut looks at who wrote STOP: on the campaign's page, in its list, and at
// the person's own page.
func (w *walker) optOut(_ context.Context, t *look.Tab) error {
	if w.left == "" {
		return fmt.Errorf("it goes on where hold ended: run that too")
	}
	page := w.world.rig.URL + "/campaigns/" + w.held
	return steps(
		func() error { return w.in(t, w.world.users["marketer"]) },
		func() error { return t.Open(page) },
		func() error {
			return t.Until("a suppressed person", `/[1-9]/.test(document.querySelector("#campaign-figures a[href*='state=suppressed']")?.closest("div")?.innerText || "")`)
		},
		func() error { return t.Open(page + "/recipients?state=suppressed") },
		func() error { return t.Has("main table a[href*='/recipients/msg_']") },
		func() error { return t.Open(w.world.rig.URL + "/contacts/" + w.left) },
		func() error { return t.See(w.text("contacts.may_not")) },
		func() error { return t.Has(".timeline li.danger") }, // the ledger's newest entry
		func() error { return w.judged(t, "the person who opted out") },
	)
}

// viewer may look and not send, and is told so.
func (w *walker) viewer(_ context.Context, t *look.Tab) error {
	if w.held == "" {
		return fmt.Errorf("it goes on where hold ended: run that too")
	}
	return steps(
		func() error { return w.in(t, w.world.users["viewer"]) },
		func() error { return t.Open(w.world.rig.URL + "/campaigns") },
		func() error { return t.Has("main a[href='/campaigns/" + w.held + "']") },
		func() error {
			return t.Until("no way to make one", "!document.querySelector(\"main a[href='/campaigns/new']\")")
		},
		func() error { return t.Open(w.world.rig.URL + "/campaigns/" + w.held) },
		func() error {
			return t.Until("no way to act", "!document.querySelector('main form[action$=\"/pause\"], main form[action$=\"/resume\"]')")
		},
		func() error { return w.judged(t, "the campaign as a viewer sees it") },
		func() error { return t.Open(w.world.rig.URL + "/campaigns/new") },
		func() error { return t.See(w.text("fault.title.forbidden")) },
		func() error { t.Noise(); return nil }, // 403 is what was asked for
	)
}

// operator opens the queues.
func (w *walker) operator(_ context.Context, t *look.Tab) error {
	l := w.world.still.Operator
	return steps(
		func() error { return t.Open(w.world.rig.URL + "/ops/sign-in") },
		func() error { return t.Fill("input[name=email]", l.Email) },
		func() error { return t.Fill("input[name=password]", l.Password) },
		func() error { return t.Press("main form button.primary, main form button") },
		func() error { return t.Open(w.world.rig.URL + "/ops") },
		func() error { return t.Until("the queues", "document.querySelector('#ops-now table, iframe')") },
		func() error { return w.judged(t, "the queues") },
		func() error { return t.Open(w.world.rig.URL + "/ops/queues/") },
		func() error { return t.Until("the dashboard", "document.body.innerText.length > 50") },
	)
}

// draft takes a file of the still tenant up to its last page and leaves it there.
func (m *matrix) draft() error {
	t, err := m.browser.Profile()
	if err != nil {
		return err
	}
	defer t.Close()
	file, err := sample()
	if err != nil {
		return err
	}
	defer file.remove()
	err = steps(
		func() error { return t.Width(1360) },
		func() error { return t.Cookie(m.world.rig.URL, sessionCookie, m.sessions[owner]) },
		func() error { return t.Open(m.world.rig.URL + "/audiences/" + m.world.ids["audience"][0] + "/import") },
		func() error { return upload(t, file.path) },
	)
	if err != nil {
		return err
	}
	id := draftPath.FindStringSubmatch(t.Where())
	if id == nil {
		return fmt.Errorf("the page is %s", t.Where())
	}
	m.world.ids["draft"] = []string{id[1]}
	return nil
}
