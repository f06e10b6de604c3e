//go:build unix

package bench

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"bareed/internal/bench/explain"
	"bareed/internal/bench/report"
	"bareed/internal/pg"
)

// plans runs the hot statements as the product does at moments of a large run
// and looks at how PostgreSQL went about it. The first moment is the worst for
// the planner: its plans were made while the tables were small, and nothing has
// told it since. Each call is rolled back.
func (s *stand) plans(ctx context.Context) error {
	c, err := s.makeCrowd(ctx)
	if err != nil {
		return err
	}
	e, err := s.explain(ctx, c)
	if err != nil {
		return err
	}
	defer e.close(ctx)
	if c.super, err = e.filler(ctx); err != nil {
		return err
	}
	defer func() { _ = c.super.Close(context.WithoutCancel(ctx)) }()
	calls, err := c.calls()
	if err != nil {
		return err
	}
	if err := c.few(ctx); err != nil {
		return err
	}
	if _, err := e.all(ctx, calls, ""); err != nil {
		return fmt.Errorf("with small tables: %w", err)
	}
	s.say("plans: writing %d messages and their people", s.Rows)
	if err := c.fill(ctx); err != nil {
		return err
	}
	return s.moments(ctx, c, e, calls)
}

// moments looks at the calls at each moment of the run.
func (s *stand) moments(ctx context.Context, c *crowd, e *explainer, calls []call) error {
	for _, m := range []struct {
		name    string
		at      int
		analyze bool
	}{{"old plans", 1000, false}, {"start", 1000, true}, {"middle", c.rows / 2, false}, {"end", c.rows - 1000, false}} {
		s.say("plans: %s", m.name)
		if err := c.advance(ctx, m.at); err != nil {
			return err
		}
		if m.analyze {
			if err := c.quickly(ctx, `analyze`); err != nil {
				return err
			}
		}
		found, err := e.all(ctx, calls, m.name)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		s.report.Plans = report.Merge(s.report.Plans, found)
	}
	for i := range s.report.Plans {
		s.report.Plans[i].Grown()
	}
	return nil
}

// explainer has one connection for each role, which tell every plan they use.
type explainer struct {
	c           *crowd
	url         string
	app, engine *pgx.Conn
	ledger      string // enters the workspace for hot statements
	heard       []explain.Statement
}

// explain needs a superuser: on a private server it is postgres, on any other
// the login itself.
func (s *stand) explain(ctx context.Context, c *crowd) (*explainer, error) {
	e := &explainer{c: c, ledger: pg.SQLLedger}
	u, err := url.Parse(s.servers.url)
	if err != nil {
		return nil, fmt.Errorf("read the database address: it is not a URL")
	}
	u.User = url.User("postgres")
	for _, address := range []string{u.String(), s.servers.url} {
		e.url = address
		if e.app, err = e.connect(ctx, "bareed_app"); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("plans need a superuser's login: %w", err)
	}
	e.engine, err = e.connect(ctx, "bareed_engine")
	return e, err
}

func (e *explainer) close(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	_ = e.app.Close(ctx)
	_ = e.engine.Close(ctx)
}

// filler is a connection that skips foreign keys and does not wait for the disk.
func (e *explainer) filler(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, e.url)
	if err != nil {
		return nil, fmt.Errorf("connect to fill the tables: %w", err)
	}
	_, err = conn.Exec(ctx, `set session_replication_role = replica; set synchronous_commit = off`)
	return conn, err
}

func (e *explainer) connect(ctx context.Context, role string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(e.url)
	if err != nil {
		return nil, fmt.Errorf("read the database address: it is not a URL")
	}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if x, ok := explain.Parse(n.Message); ok {
			e.heard = append(e.heard, x)
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	for _, sql := range []string{
		`load 'auto_explain'`, `set auto_explain.log_min_duration = 0`, `set auto_explain.log_analyze = on`,
		`set auto_explain.log_buffers = on`, `set auto_explain.log_timing = off`, `set auto_explain.log_format = json`,
		`set auto_explain.log_level = notice`, `set auto_explain.sample_rate = 1`, `set timezone = 'UTC'`, `set role ` + role,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			_ = conn.Close(ctx)
			return nil, err
		}
	}
	return conn, nil
}

// all runs every call often enough for PostgreSQL to settle on a plan and keeps
// the last time. Without a moment's name only the settling counts.
func (e *explainer) all(ctx context.Context, calls []call, moment string) ([]report.Statement, error) {
	var out []report.Statement
	for _, c := range calls {
		st := report.Statement{Name: c.name, Moments: []report.Moment{{Moment: moment}}}
		began := time.Now()
		for i := range 7 {
			// A statement that takes seconds has said enough.
			if i > 0 && time.Since(began) > 5*time.Second {
				break
			}
			if err := e.once(ctx, c); err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
		for _, x := range e.heard {
			st.Moments[0].MS += x.MS
			st.Moments[0].Pages += x.Plan.Pages()
			for _, f := range x.Plan.Faults(c.most) {
				if f = moment + ": " + f; !slices.Contains(st.Faults, f) {
					st.Faults = append(st.Faults, f)
				}
			}
		}
		out = append(out, st)
	}
	return out, nil
}

// once runs a call in a transaction of its own and takes it back.
func (e *explainer) once(ctx context.Context, c call) error {
	conn := e.app
	if c.engine {
		conn = e.engine
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	switch {
	case c.engine:
	case c.page:
		err = pg.Enter(ctx, tx, e.c.ws)
	default:
		_, err = tx.Exec(ctx, e.ledger, e.c.ws)
	}
	if err != nil {
		return err
	}
	e.heard = nil
	return c.do(ctx, tx)
}
