package web

import (
	"cmp"
	"slices"
	"time"

	"bareed/campaigns/overview"
	"bareed/internal/errs"
	"bareed/numbers/budget"
	"bareed/web/front"
)

// Queues is how the queues and their leader stand, as cmd reads them.
type Queues struct {
	Queues      []Queue
	Memory      int64 // of Redis, bytes
	MemoryLimit int64 // 0: none
	Leader      bool  // a scheduler leads
	Since, Beat *time.Time
}

// Queue is one queue, in tasks; Done and Failed are of today (UTC).
type Queue struct {
	Name                                           string
	Waiting, Active, Retry, Archived, Done, Failed int
	Oldest                                         time.Duration // how long the oldest has waited
	Rate                                           string        // tasks a second since the page was last looked at; "" unknown
}

func (s *Server) ops() {
	s.Handle("GET /ops", s.opsPage)
	s.Handle("GET /ops/sign-in", func(c *front.Call) error { return c.Redirect("/sign-in?next=/ops") })
}

// The operator's page looks at so many runs, and calls one stuck that has not
// moved for so long.
const (
	opsRuns     = 500
	opsQuiet    = 5 * time.Minute
	opsAccounts = 50 // of those asked most
)

type opsView struct {
	Queues     *Queues // nil: Redis does not answer, or is not asked
	Workspaces []backlogLine
	Calls      []usageLine
	Stuck      []overview.Open
	Intake     overview.Intake
	Lag        time.Duration
	Drawn      *time.Time // when the scheduler last drew a run's picture
	Minutes    int
	More       bool // there are more runs than were looked at
	At         time.Time
}

// backlogLine is what one workspace has waiting.
type backlogLine struct {
	Name                      string
	Runs                      int
	Waiting, Sending, Unknown int64
	Held                      int
	Moved                     *time.Time // the run that has not moved for longest
}

// opsPage is for operators; for everybody else it does not exist.
func (s *Server) opsPage(c *front.Call) error {
	if !c.Who.Operator {
		return errs.New("not_found")
	}
	view := opsView{At: c.Clock(), Minutes: int(opsQuiet / time.Minute)}
	runs, err := overview.ListOpen(c.Ctx(), c.Pool.Engine(), opsRuns)
	if err != nil {
		return err
	}
	usage, err := budget.List(c.Ctx(), c.Pool.Engine(), opsAccounts)
	if err != nil {
		return err
	}
	view.Calls = usageLines(usage, view.At)
	if view.Intake, err = overview.GetIntake(c.Ctx(), c.Pool.Engine()); err != nil {
		return err
	}
	if view.Intake.Oldest != nil {
		view.Lag = view.At.Sub(*view.Intake.Oldest)
	}
	if s.Queues != nil {
		if q, err := s.Queues(c.Ctx()); err == nil {
			view.Queues = &q
		} else {
			c.Log.WarnContext(c.Ctx(), "read the queues", "request_id", c.RequestID, "err", err)
		}
	}
	view.read(runs)
	return c.Render("ops", view, front.Refresh(5))
}

// read groups the runs by workspace, the one with most waiting first.
func (v *opsView) read(runs []overview.Open) {
	v.More = len(runs) == opsRuns
	lines := map[string]*backlogLine{}
	for _, r := range runs {
		l := lines[r.Workspace.String()]
		if l == nil {
			l = &backlogLine{Name: r.Name, Moved: r.Moved}
			lines[r.Workspace.String()] = l
		}
		l.Runs++
		l.Waiting += r.Waiting
		l.Sending += r.Sending
		l.Unknown += r.Unknown
		if len(r.Stops) > 0 {
			l.Held++
		}
		if r.At != nil && (v.Drawn == nil || r.At.After(*v.Drawn)) {
			v.Drawn = r.At
		}
		if r.Stuck(v.At, opsQuiet) {
			v.Stuck = append(v.Stuck, r)
		}
	}
	for _, l := range lines {
		v.Workspaces = append(v.Workspaces, *l)
	}
	slices.SortFunc(v.Workspaces, func(a, b backlogLine) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(a.Name, b.Name))
	})
}
