// Package pg owns the connections to PostgreSQL and the two roles the product
// works under: app, which sees one workspace per transaction and writes, and
// engine, which finds work across workspaces by a short list of columns and
// writes only what belongs to no workspace.
//
// Every package with SQL uses it. It knows no table.
package pg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"bareed/internal/id"
)

// DB is what a query needs: a transaction or a pool.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
}

// Config says where the database is. AppURL and EngineURL are logins of their
// own for the two roles; without them the login of URL takes the roles on,
// which needs membership in both.
type Config struct {
	URL       string
	AppURL    string
	EngineURL string
	MaxConns  int32           // of each of the two pools; default 16
	Tracer    pgx.QueryTracer // sees every statement; none by default
}

// Pool is both pools. It is safe for use by many goroutines.
type Pool struct {
	app    *pgxpool.Pool
	engine *pgxpool.Pool
	direct *pgx.ConnConfig
}

// Open connects both pools and checks what correctness depends on: the server's
// version, and that a committed claim is a durable one.
func Open(ctx context.Context, c Config) (*Pool, error) {
	app, err := open(ctx, first(c.AppURL, c.URL), roleFor(c.AppURL, "bareed_app"), c)
	if err != nil {
		return nil, err
	}
	engine, err := open(ctx, first(c.EngineURL, c.URL), roleFor(c.EngineURL, "bareed_engine"), c)
	if err != nil {
		app.Close()
		return nil, err
	}
	p := &Pool{app: app, engine: engine, direct: engine.Config().ConnConfig.Copy()}
	if err := p.assertServer(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func roleFor(ownLogin, role string) string {
	if ownLogin != "" {
		return ""
	}
	return role
}

func open(ctx context.Context, url, role string, c Config) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read the database address: it is not a PostgreSQL URL")
	}
	cfg.MaxConns = max(c.MaxConns, 2)
	if c.MaxConns == 0 {
		cfg.MaxConns = 16
	}
	cfg.ConnConfig.Tracer = c.Tracer
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	if role != "" {
		cfg.ConnConfig.RuntimeParams["role"] = role
	}
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = "5s"
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60s"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	return pool, nil
}

// assertServer refuses a server on which a promise would be a guess.
func (p *Pool) assertServer(ctx context.Context) error {
	var version int
	var syncCommit string
	err := p.app.QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('synchronous_commit')`).
		Scan(&version, &syncCommit)
	if err != nil {
		return fmt.Errorf("ask the database about itself: %w", err)
	}
	if version < 150000 {
		return fmt.Errorf("PostgreSQL 15 or newer is needed, the server is %d", version/10000)
	}
	if syncCommit == "off" || syncCommit == "local" {
		return fmt.Errorf("synchronous_commit is %q: a claim must be durable before anything is sent", syncCommit)
	}
	return nil
}

// Close ends both pools; connections in use are waited for.
func (p *Pool) Close() {
	p.app.Close()
	p.engine.Close()
}

// Engine is the pool for finding work across workspaces.
func (p *Pool) Engine() *pgxpool.Pool { return p.engine }

// App is the pool under the application's role with no workspace set: every
// fenced table raises there. For statements that set the workspace themselves.
func (p *Pool) App() *pgxpool.Pool { return p.app }

// Direct opens a connection of its own as engine, outside the pools, for a
// session lock. The caller closes it.
func (p *Pool) Direct(ctx context.Context) (*pgx.Conn, error) {
	c, err := pgx.ConnectConfig(ctx, p.direct.Copy())
	if err != nil {
		return nil, fmt.Errorf("open a connection of its own: %w", err)
	}
	return c, nil
}

// SQLWorkspace sets the workspace for the rest of a transaction; a batch that
// is its own transaction queues it first.
const SQLWorkspace = `select set_config('app.workspace', $1::uuid::text, true)`

// SQLLedger is SQLWorkspace for the hot statements of the ledger, which fetch
// each row by its key. Their plans must not hang on statistics: those are old
// whenever a run begins, and what is cheapest for a small table reads all of a
// large one, message after message, until the next analyze. So one plan is made
// for all parameters (making it takes longer than the statement), and whatever
// looks through a table instead of looking up a row is ruled out.
//
// So a ledger's statement must never join two lists by anything but a key: a
// nested loop over both is what would be left.
const SQLLedger = SQLWorkspace + ledgerPlans

const ledgerPlans = `,
    set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true),
    set_config('enable_material', 'off', true),
    set_config('jit', 'off', true)`

// entering begins a transaction and sets an id for the rest of it in the same
// round trip. It goes as text, which an id's 36 hexadecimal digits and dashes
// cannot break out of.
func entering(setting string, to uuid.UUID, more string) pgx.TxOptions {
	return pgx.TxOptions{BeginQuery: "begin; select set_config('" + setting + "', '" + to.String() + "', true)" + more}
}

// InLedger is InWorkspace for transactions of the ledger's hot statements.
func (p *Pool) InLedger(ctx context.Context, ws id.Workspace, fn func(tx pgx.Tx) error) error {
	return p.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, p.app, entering("app.workspace", uuid.UUID(ws), ledgerPlans), fn)
	})
}

// InLedgerBriefly is InLedger that waits for a lock no longer than 300 ms: for
// rounds over many runs, where one run's lock must not cost the others their turn.
func (p *Pool) InLedgerBriefly(ctx context.Context, ws id.Workspace, fn func(tx pgx.Tx) error) error {
	return p.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, p.app, entering("app.workspace", uuid.UUID(ws), ledgerPlans+briefLocks), fn)
	})
}

// briefLocks is in milliseconds.
const briefLocks = `,
    set_config('lock_timeout', '300', true)`

// InWorkspace runs fn in one transaction that sees and writes only ws. It
// commits when fn returns nil. A serialization failure or deadlock is tried
// again, so fn must have no effect outside the transaction.
func (p *Pool) InWorkspace(ctx context.Context, ws id.Workspace, fn func(tx pgx.Tx) error) error {
	return p.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, p.app, entering("app.workspace", uuid.UUID(ws), ""), fn)
	})
}

// InSnapshot runs fn in one transaction that sees ws as it is at its beginning,
// however long it takes, and writes nothing. Keep it short: while it is open no
// dead row is removed anywhere.
func (p *Pool) InSnapshot(ctx context.Context, ws id.Workspace, fn func(tx pgx.Tx) error) error {
	o := pgx.TxOptions{BeginQuery: "begin isolation level repeatable read, read only; select set_config('app.workspace', '" + uuid.UUID(ws).String() + "', true)"}
	return pgx.BeginTxFunc(ctx, p.app, o, fn)
}

// Enter makes the rest of tx see and write only ws. A transaction may enter
// several workspaces one after another.
func Enter(ctx context.Context, tx pgx.Tx, ws id.Workspace) error {
	if _, err := tx.Exec(ctx, SQLWorkspace, ws); err != nil {
		return fmt.Errorf("enter the workspace: %w", err)
	}
	return nil
}

// AsUser runs fn in one transaction that sees and writes only that user's
// sessions.
func (p *Pool) AsUser(ctx context.Context, user id.User, fn func(tx pgx.Tx) error) error {
	return p.retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, p.app, entering("app.user", uuid.UUID(user), ""), fn)
	})
}

// InEngine runs fn in one transaction of the engine's role.
func (p *Pool) InEngine(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return p.retry(ctx, func() error { return pgx.BeginFunc(ctx, p.engine, fn) })
}

// retry repeats what PostgreSQL asks to be repeated, three times at most.
func (p *Pool) retry(ctx context.Context, fn func() error) error {
	for try := 0; ; try++ {
		err := fn()
		if err == nil || try == 3 || !Repeatable(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(5+rand.IntN(20<<try)) * time.Millisecond):
		}
	}
}

const sqlNow = `select bareed_now()`

// Now is the database's time, by which everything is stored: this machine's
// clock may be another.
func Now(ctx context.Context, db DB) (time.Time, error) {
	var now time.Time
	if err := db.QueryRow(ctx, sqlNow).Scan(&now); err != nil {
		return now, fmt.Errorf("read the database's time: %w", err)
	}
	return now, nil
}
