//go:build unix

// Package clocks proves that what recurs is sent when its schedule's zone says:
// campaigns in several zones, through a change of clocks, on real processes whose
// machine stands in yet another zone. The database's clock is moved from firing to
// firing, and the sandbox's journal is judged by an oracle of its own.
//
// The planted bugs call it. Like the proof it stands beside, it knows the product
// from outside: its command line, its API, the clock in its database.
package clocks

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/client"
	"bareed/internal/clock"
	"bareed/internal/devenv"
	"bareed/internal/rig"
	"bareed/sandbox/journal"
)

// Options of Run.
type Options struct {
	Out    io.Writer
	Binary string // of the product
}

// Result is what was found.
type Result struct {
	Firings  int
	Messages int
	Breaches []string
}

const (
	people = 4 // of each campaign
	// before is how long before a firing the clock is set first: whoever is early
	// by more leaves then.
	before = 30 * time.Second
	// early is how long that is watched, late how long a firing may take: both
	// in real time, which the database's clock goes by in between.
	early, late = 1500 * time.Millisecond, 25 * time.Second
	// elsewhere is where the machine stands: in none of the schedules' zones, and
	// not on the hour.
	elsewhere = "Pacific/Chatham"
)

// proof is one run in progress.
type proof struct {
	Options
	dir       string
	servers   *devenv.Durable
	rig       *rig.Rig
	admin     *pgxpool.Pool
	client    *client.Client
	tenant    *rig.Tenant
	moves     []move
	campaigns map[string]string // by the schedule's name
	breaches  []string
}

// Run proves once. The error is the rig's; what the product did wrong is in the
// result, which ends with the first breach.
func Run(soft, hard context.Context, o Options) (r Result, err error) {
	ctx, cancel := context.WithTimeout(soft, 5*time.Minute)
	defer cancel()
	from, list, err := plans(time.Now())
	if err != nil {
		return r, err
	}
	p := &proof{Options: o, campaigns: map[string]string{}}
	defer p.close()
	if err = p.open(ctx, hard, from.Add(-2*time.Hour)); err != nil {
		return r, p.explain(err)
	}
	for i := range list {
		if err := p.launch(ctx, i, list[i]); err != nil {
			return r, p.explain(fmt.Errorf("launch %s: %w", list[i].Name, err))
		}
	}
	for _, f := range inOrder(list) {
		if err := p.fire(ctx, list, f); err != nil {
			return r, p.explain(err)
		}
		if len(p.breaches) > 0 {
			break
		}
		r.Firings++
	}
	sent, err := p.sent(ctx)
	if err != nil {
		return r, err
	}
	r.Messages, r.Breaches = len(sent), append(p.breaches, Judge(list, sent, r.Firings)...)
	for _, b := range r.Breaches {
		fmt.Fprintf(o.Out, "%-10s %s\n", "BREACH", b)
	}
	return r, nil
}

// open starts everything and sets the clock. Partitions are made as the scheduler
// would have in those months.
func (p *proof) open(ctx, hard context.Context, at time.Time) (err error) {
	if p.dir, err = os.MkdirTemp("", "bareed-clocks-"); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if p.servers, err = devenv.StartDurable(hard, "clocks", io.Discard); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(p.dir, "processes.log"))
	if err != nil {
		return fmt.Errorf("make a log: %w", err)
	}
	s := p.servers
	p.rig, err = rig.Start(hard, rig.Config{Binary: p.Binary, Dir: p.dir, Workers: 1, Schedulers: 1, Slots: 16, Log: log,
		DatabaseURL: "postgres://" + s.Login + ":" + s.Password + "@" + s.Postgres + "/" + s.Database + "?sslmode=disable",
		RedisURL:    "redis://:" + s.Password + "@" + s.Redis + "/0", Env: []string{"TZ=" + elsewhere}})
	if err != nil {
		return fmt.Errorf("start the product: %w", err)
	}
	if p.admin, err = pgxpool.New(ctx, s.AdminURL); err != nil {
		return fmt.Errorf("connect as the superuser: %w", err)
	}
	if err := p.setClock(ctx, at); err != nil {
		return err
	}
	if _, err := p.admin.Exec(ctx, `select ensure_partitions()`); err != nil {
		return fmt.Errorf("make partitions: %w", err)
	}
	if p.tenant, err = p.rig.MakeTenant(ctx, "Acme", rig.MetaOf(1, 80, "TIER_UNLIMITED")); err != nil {
		return fmt.Errorf("make a tenant: %w", err)
	}
	p.client = p.rig.Client(p.tenant.Key)
	return nil
}

func (p *proof) close() {
	if p.rig != nil {
		p.rig.Stop()
	}
	if p.admin != nil {
		p.admin.Close()
	}
	if p.servers != nil {
		p.servers.Close()
	}
	os.RemoveAll(p.dir)
}

// explain adds the processes' last words to a fault of the rig.
func (p *proof) explain(err error) error {
	b, _ := os.ReadFile(filepath.Join(p.dir, "processes.log")) // none is as good
	return fmt.Errorf("%w\n%s", err, b[max(0, len(b)-2000):])
}

const sqlSetClock = `update clock_offset set shift = $1`

// setClock sets the database's clock to an instant, and notes when.
func (p *proof) setClock(ctx context.Context, at time.Time) error {
	now := time.Now()
	if _, err := p.admin.Exec(ctx, sqlSetClock, at.Sub(now)); err != nil {
		return fmt.Errorf("set the database's clock: %w", err)
	}
	p.moves = append(p.moves, move{now, at.Sub(now)})
	return nil
}

// launch makes an audience of the schedule's people and launches a campaign.
func (p *proof) launch(ctx context.Context, i int, s Schedule) error {
	a, err := p.client.CreateAudience(ctx, s.Name)
	if err != nil {
		return err
	}
	csv := "phone,name,city,opt_in,opt_in_at\n" + strings.Join(s.lines(), "\n") + "\n"
	up, err := p.client.CreateImport(ctx, a.ID, client.Upload{File: strings.NewReader(csv), Name: s.Name + ".csv",
		Settings: client.ImportSettings{Consent: &client.Declaration{Covers: "rows", Purposes: []string{"marketing"}, Method: "web_form",
			Source: "https://acme.example", Wording: &client.Wording{Version: "1", Text: "Acme may write to me on WhatsApp", BusinessName: "Acme"}}}})
	if err != nil {
		return err
	}
	if _, err := p.client.WaitJob(ctx, up.Job.ID); err != nil {
		return err
	}
	template, err := p.rig.Template(ctx, p.tenant, "offer", "en")
	if err != nil {
		return err
	}
	c, err := p.client.CreateCampaign(ctx, client.NewCampaign{Name: s.Name, NumberID: p.tenant.Number, TemplateID: template, AudienceIDs: []string{a.ID},
		Variables: client.Variables{Body: []client.Value{{Attribute: "name"}, {Attribute: "city"}}}, Schedule: &client.Rules{Zone: s.Zone, Recurring: &s.Recurs}})
	if err != nil {
		return err
	}
	p.campaigns[s.Name] = c.ID
	asked, err := p.client.CheckCampaign(ctx, c.ID)
	if err != nil {
		return err
	}
	if _, err := p.client.WaitJob(ctx, asked.JobID); err != nil {
		return err
	}
	got, err := p.client.LaunchCampaign(ctx, c.ID, client.Launch{ExpectedRecipients: people})
	if err == nil && !got.StartsAt.Equal(s.Due[0]) {
		fmt.Fprintf(p.Out, "%-10s %s is said to begin at %s, due at %s\n", "launched", s.Name, got.StartsAt.UTC(), s.Due[0].UTC())
	}
	return err
}

// fire takes the clock to shortly before a firing, looks that nobody is early,
// then to the firing, and waits until it is over.
func (p *proof) fire(ctx context.Context, list []Schedule, f firing) error {
	s := list[f.schedule]
	if err := p.setClock(ctx, f.at.Add(-before)); err != nil {
		return err
	}
	was, err := p.sent(ctx)
	if err != nil {
		return err
	}
	if !clock.Pause(ctx, early) {
		return ctx.Err()
	}
	if now, err := p.sent(ctx); err != nil || len(now) > len(was) {
		p.breaches = append(p.breaches, fmt.Sprintf("the firing of %s at %s: %d messages left before it", s.Name, f.at.UTC(), len(now)-len(was)))
		return err
	}
	if err := p.setClock(ctx, f.at); err != nil {
		return err
	}
	patient, cancel := context.WithTimeout(ctx, late)
	defer cancel()
	err = rig.Until(patient, 200*time.Millisecond, func() (bool, error) { return p.over(patient, s, f), nil })
	if err != nil && ctx.Err() == nil {
		p.breaches = append(p.breaches, fmt.Sprintf("the firing of %s at %s did not happen within %s", s.Name, f.at.UTC(), late))
		return nil
	}
	return err
}

// over tells whether everybody's message of a firing has left and the product has
// done with it.
func (p *proof) over(ctx context.Context, s Schedule, f firing) bool {
	sent, err := p.sent(ctx)
	if err != nil {
		return false
	}
	n := 0
	for _, m := range sent {
		if slices.Contains(s.People, m.To) {
			n++
		}
	}
	if n < people*(f.index+1) {
		return false
	}
	for x, err := range p.client.ListFirings(ctx, p.campaigns[s.Name]) {
		if err != nil || x.State == "running" || x.State == "finishing" {
			return false
		}
	}
	return true
}

// sent reads the journal, in the database's time.
func (p *proof) sent(ctx context.Context) (list []Sent, err error) {
	var page struct{ Entries []journal.Entry }
	if err := p.rig.Control(ctx, "/sandbox/journal?limit=10000&after=0", nil, &page); err != nil {
		return nil, err
	}
	for _, e := range page.Entries {
		list = append(list, Sent{To: "+" + strings.TrimPrefix(e.Recipient, "+"), At: e.At.Add(shiftAt(p.moves, e.At)), Accepted: e.Accepted})
	}
	return list, nil
}
