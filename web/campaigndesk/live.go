package campaigndesk

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns"
	"bareed/campaigns/live"
	"bareed/internal/id"
	"bareed/web/front"
)

const (
	streamWrite = 20 * time.Second // how long a reader may take to accept what was written
	paceEvery   = 15 * time.Second // how often the time line is drawn anew
)

// watch is one open page. What it sends is made once for all viewers with the
// same language and the same buttons.
type watch struct {
	*front.Call
	desk     *desk
	campaign id.Campaign
	kind     string // of the fragments: the language and the rights
	may      rights
	lacks    string // missing's
	tenth    int64
	state    string
	drawn    time.Time
}

func (d *desk) campaignLive(c *front.Call) error {
	campaign, err := front.ID[id.Campaign](c, "campaign")
	if err != nil {
		return err
	}
	after, _ := strconv.ParseInt(cmp.Or(c.R.Header.Get("Last-Event-ID"), c.Query("after")), 10, 64) // 0: from the first
	ctx, release := c.Until(c.Ctx())
	defer release()
	viewer, err := d.live.Watch(ctx, c.Who, campaign, max(0, after))
	if err != nil {
		return err
	}
	defer viewer.Close()
	var now campaigns.Campaign
	err = c.InWorkspace(func(tx pgx.Tx) (err error) {
		now, err = campaigns.Get(c.Ctx(), tx, c.Actor().Workspace, campaign)
		return err
	})
	if err != nil {
		return err
	}
	lacks := missing(c.Locale(), now) // also reads the zone before the first fragment
	may := rightsOf(c)
	w := &watch{Call: c, desk: d, campaign: campaign, may: may, lacks: lacks, kind: fmt.Sprint(c.Lang(), may), tenth: -1, drawn: c.Clock()}
	c.Wrote()
	c.W.Header().Set("Content-Type", "text/event-stream")
	c.W.Header().Set("X-Accel-Buffering", "no")
	err = w.write([]byte("retry: 1000\n\n"))
	for err == nil {
		var u live.Update
		if u, err = viewer.Next(ctx); err != nil {
			break
		}
		err = w.write(w.frame(u))
	}
	return nil // every end is a normal one: the reader connects again
}

func (w *watch) write(b []byte) error {
	rc := http.NewResponseController(w.W)
	_ = rc.SetWriteDeadline(time.Now().Add(streamWrite)) // not every writer can, such as a test's
	if _, err := w.W.Write(b); err != nil {
		return err
	}
	return rc.Flush()
}

// frame writes an update as server-sent events. A fragment that could not be
// made is left out; the next update brings it.
func (w *watch) frame(u live.Update) []byte {
	if u.Beat() {
		return []byte(": still here\n\n")
	}
	var out, html []byte
	add := func(b []byte, err error) {
		if err != nil {
			w.Log.WarnContext(w.Ctx(), "write a campaign's fragment", "campaign", w.campaign.String(), "err", err)
		}
		html = append(html, b...)
	}
	if n := len(u.Events); n > 0 {
		add(u.Events[n-1].Render(w.Lang()+"/log", w.log))
		add(u.Events[n-1].Render(w.Lang()+"/waves", func(campaigns.Event) ([]byte, error) { return w.waves() }))
		out = fmt.Appendf(out, "id: %d\nevent: seen\ndata:\n\n", u.Events[n-1].Sequence)
	}
	if u.Picture == nil {
		return event(out, "fragments", html)
	}
	r := u.Picture.Report
	add(u.Picture.Render(w.kind+"/figures", w.figures))
	if now := w.Clock(); now.Sub(w.drawn) >= paceEvery {
		w.drawn = now
		add(u.Picture.Render(w.Lang()+"/pace", w.pace))
		add(u.Picture.Render(w.Lang()+"/waves", func(campaigns.Report) ([]byte, error) { return w.waves() }))
	}
	out = w.say(event(out, "fragments", html), r)
	if r.State.Ended() {
		out = event(out, "end", []byte("reload"))
	}
	return out
}

func event(out []byte, name string, data []byte) []byte {
	if len(data) == 0 {
		return out
	}
	return fmt.Appendf(out, "event: %s\ndata: %s\n\n", name, bytes.ReplaceAll(data, []byte("\n"), []byte("\ndata: ")))
}

// say tells those who listen of each tenth, and of each change of state.
func (w *watch) say(out []byte, r campaigns.Report) []byte {
	f := figuresView{Report: r, Whole: max(1, r.Total, r.Expected), Handed: r.Total - r.Ready - r.Sending}
	state := fmt.Sprint(r.State, r.Paused, r.Holding)
	tenth := f.Handed * 10 / f.Whole
	first := w.tenth < 0
	if !first && state != w.state {
		for _, chip := range campaignChips(w.Locale(), r.State, r.Paused, r.Holding) {
			out = event(out, "state", []byte(chip["text"].(string)))
		}
	} else if !first && tenth != w.tenth {
		out = event(out, "say", []byte(w.Locale().T("campaign.progress.sum", "done", f.Handed, "total", f.Whole)))
	}
	w.tenth, w.state = tenth, state
	return out
}

func (w *watch) figures(r campaigns.Report) ([]byte, error) {
	v := figuresOf(w.Locale(), r, w.lacks)
	head, err := w.Fragment("campaign", "campaign-acts", actsOf(r.CampaignID, r.State, r.Paused, r.Holding, w.may))
	if err != nil {
		return nil, err
	}
	asof, err := w.Fragment("campaign", "campaign-asof", v)
	if err != nil {
		return nil, err
	}
	body, err := w.Fragment("campaign", "campaign-figures", v)
	if err != nil || r.State == campaigns.Starting && !r.Paused && !r.Holding {
		return slices.Concat(head, asof, body), err
	}
	gone, err := w.Fragment("campaign", "campaign-start", (*startView)(nil))
	return slices.Concat(head, asof, body, gone), err
}

// inWorkspace reads for every viewer, so that it outlives this one's request.
func (w *watch) inWorkspace(fn func(c *front.Call, tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.Ctx()), 5*time.Second)
	defer cancel()
	c := *w.Call
	c.R = c.R.WithContext(ctx)
	return c.InWorkspace(func(tx pgx.Tx) error { return fn(&c, tx) })
}

func (w *watch) pace(r campaigns.Report) (b []byte, err error) {
	var v *paceView
	err = w.inWorkspace(func(c *front.Call, tx pgx.Tx) (err error) {
		v, err = w.desk.readPace(c, tx, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w.Fragment("campaign", "campaign-pace", v)
}

func (w *watch) log(e campaigns.Event) ([]byte, error) {
	var list []eventView
	err := w.inWorkspace(func(c *front.Call, tx pgx.Tx) (err error) {
		list, err = readLog(c, tx, w.campaign, e.Sequence)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w.Fragment("campaign", "campaign-log", list)
}
