//go:build unix

package devenv

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/devenv/software"
)

const (
	postgresPort = "15432"  // names the socket file; no port is listened on
	postgresRole = "bareed" // the login: CREATEROLE and CREATEDB, no superuser
	demoDatabase = "bareed"
)

func (e *Env) upPostgres(ctx context.Context, o Options) error {
	if name, addr := given(o.Mode, "DATABASE_URL"); addr != "" {
		conn, err := connect(ctx, addr)
		if err != nil {
			return fmt.Errorf("%s is set but no database answers there: %w", name, err)
		}
		where := conn.Config()
		conn.Close(ctx)
		e.DatabaseURL, e.DatabaseGiven = addr, true
		e.say(o.Out, "postgres", fmt.Sprintf("given by %s: %s on %s", name, where.Database, where.Host))
		return nil
	}
	bins, why := software.FindPostgres()
	if why != nil && !o.Attached {
		if addr, err := e.dockerPostgres(ctx, o); err == nil {
			e.DatabaseURL = addr
			return nil
		} else if !errors.Is(err, errNoDocker) {
			return err
		}
		if o.Install {
			if err := software.Install(ctx, o.Out, "postgresql", "postgresql@17"); err != nil {
				return err
			}
			bins, why = software.FindPostgres()
		}
	}
	if why != nil {
		variable, _ := given(o.Mode, "DATABASE_URL")
		return software.MissingPostgres(string(o.Mode), variable, why.Error())
	}
	return e.privatePostgres(ctx, o, bins)
}

// privatePostgres joins or starts this checkout's own server.
func (e *Env) privatePostgres(ctx context.Context, o Options, bins []software.PostgresBin) error {
	s, data, bin, err := postgresServer(o.Mode, bins)
	if err != nil {
		return err
	}
	held, err := s.attach(ctx)
	if err != nil && o.Mode == Test {
		// Without fsync a power cut can break the data; there is nothing to lose.
		if removeData(data) == nil {
			held, err = s.attach(ctx)
		}
	}
	if err != nil {
		return err
	}
	e.close = append(e.close, held.release)
	e.DatabaseURL = postgresURL(s.run, postgresRole, databaseOf(o.Mode))
	if err := ensureLogin(ctx, s.run, o.Mode); err != nil {
		return err
	}
	e.say(o.Out, "postgres", fmt.Sprintf("private, PostgreSQL %d from %s, data in %s (%s)", bin.Major, bin.Dir, realData(data), kept(o.Mode)))
	return nil
}

func databaseOf(m Mode) string {
	if m == Demo {
		return demoDatabase
	}
	return "postgres"
}

// postgresServer describes the private server of a mode: where it lies, who
// runs it, and how.
func postgresServer(m Mode, bins []software.PostgresBin) (s *server, data string, bin software.PostgresBin, err error) {
	state, err := stateDir()
	if err != nil {
		return nil, "", bin, err
	}
	if _, err := ownDir(filepath.Join(state, string(m)), os.Getuid(), 0o711); err != nil {
		return nil, "", bin, err
	}
	dir := filepath.Join(state, string(m), "postgres")
	cred, uid, err := serverUser(dir)
	if err != nil {
		return nil, "", bin, err
	}
	if _, err := ownDir(dir, uid, 0o700); err != nil {
		return nil, "", bin, err
	}
	run, err := runDir(dir, uid)
	if err != nil {
		return nil, "", bin, err
	}
	data = filepath.Join(dir, "data")
	bin, err = binFor(m, data, bins)
	if err != nil {
		return nil, "", bin, err
	}
	s = &server{name: "postgres", dir: dir, run: run, cred: cred, stop: "INT", args: postgresArgs(m, bin, data, run)}
	s.ready = func(ctx context.Context) error { return answers(ctx, postgresURL(run, "postgres", "postgres")) }
	s.orphan = func(ctx context.Context) error { return stopPostmaster(ctx, data) }
	s.prepare = func(ctx context.Context) error { return s.initdb(ctx, m, bin, data, uid) }
	return s, data, bin, nil
}

// serverUser picks who runs the server: ourselves, but as root the owner of
// existing data, else postgres, else nobody, since PostgreSQL refuses root.
func serverUser(dir string) (*syscall.Credential, int, error) {
	uid := os.Getuid()
	if uid != 0 {
		if _, err := user.LookupId(strconv.Itoa(uid)); err != nil {
			return nil, 0, fmt.Errorf("user %d has no entry in the password file, which PostgreSQL needs: give a server by URL", uid)
		}
		return nil, uid, nil
	}
	owner := ""
	if info, err := os.Lstat(dir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
			owner = strconv.Itoa(int(st.Uid))
		}
	}
	for _, find := range []func() (*user.User, error){
		func() (*user.User, error) { return user.LookupId(owner) },
		func() (*user.User, error) { return user.Lookup("postgres") },
		func() (*user.User, error) { return user.Lookup("nobody") },
	} {
		u, err := find()
		if err != nil {
			continue
		}
		id, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && id != 0 {
			return &syscall.Credential{Uid: uint32(id), Gid: uint32(gid)}, id, nil
		}
	}
	return nil, 0, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

// binFor takes the first installation that can read the data there is.
func binFor(m Mode, data string, bins []software.PostgresBin) (software.PostgresBin, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return bins[0], nil
	}
	have := strings.TrimSpace(string(b))
	for _, bin := range bins {
		if strconv.Itoa(bin.Major) == have {
			return bin, nil
		}
	}
	if m == Test {
		return bins[0], nil // initdb makes it anew
	}
	return software.PostgresBin{}, fmt.Errorf("the kept data in %s is of PostgreSQL %s, which is no longer here: wipe it with go run ./cmd/dev reset", data, have)
}

func postgresArgs(m Mode, bin software.PostgresBin, data, run string) []string {
	args := []string{filepath.Join(bin.Dir, "postgres"), "-D", data, "-k", run, "-p", postgresPort}
	set := []string{
		"listen_addresses=", "unix_socket_permissions=0700", "max_connections=300",
		"shared_buffers=128MB", "timezone=UTC", "log_timezone=UTC", "jit=off",
		"log_parameter_max_length=0", "log_parameter_max_length_on_error=0",
	}
	if m == Test {
		// synchronous_commit stays on: the program checks it, and without
		// fsync it costs nothing. Autovacuum would hold the template open
		// while it is being copied.
		set = append(set, "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
			"autovacuum=off", "checkpoint_timeout=30min", "max_wal_size=256MB", "min_wal_size=32MB", "max_locks_per_transaction=256")
	}
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// initdb makes the data directory if it is missing, half made, or (in test
// mode) of another version.
func (s *server) initdb(ctx context.Context, m Mode, bin software.PostgresBin, data string, uid int) error {
	have, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	_, errHalf := os.Lstat(filepath.Join(s.dir, "initdb.running"))
	if err == nil && errHalf != nil && strings.TrimSpace(string(have)) == strconv.Itoa(bin.Major) {
		return nil
	}
	if err := placeData(m, data, uid); err != nil {
		return err
	}
	half := filepath.Join(s.dir, "initdb.running")
	if err := os.WriteFile(half, nil, 0o600); err != nil {
		return fmt.Errorf("mark the data directory: %w", err)
	}
	out, err := s.runInitdb(ctx, m, bin, data, locale())
	if err != nil && strings.Contains(out, "locale") {
		out, err = s.runInitdb(ctx, m, bin, data, "C")
	}
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(out))
	}
	return os.Remove(half)
}

func (s *server) runInitdb(ctx context.Context, m Mode, bin software.PostgresBin, data, locale string) (string, error) {
	args := []string{"-D", data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=" + locale}
	if m == Test {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin.Dir, "initdb"), args...)
	cmd.Dir, cmd.Env = s.dir, cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: s.cred}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8"
	}
	return "C.UTF-8"
}

// stopPostmaster stops a server of an earlier run on the same data. The process
// id in the lock file may since belong to another process, so that process is
// looked at first.
func stopPostmaster(ctx context.Context, data string) error {
	data = realData(data)
	lockFile := filepath.Join(data, "postmaster.pid")
	b, err := os.ReadFile(lockFile)
	if err != nil {
		return nil // not running
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || !worksIn(pid, data) {
		return os.Remove(lockFile)
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	quick := time.Now().Add(15 * time.Second)
	for worksIn(pid, data) {
		if time.Now().After(quick) {
			_ = syscall.Kill(pid, syscall.SIGQUIT) // gone already is as good
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return fmt.Errorf("process %d does not stop: %w", pid, err)
		}
	}
	return nil
}

func postgresURL(run, role, database string) string {
	q := url.Values{"host": {run}, "port": {postgresPort}, "sslmode": {"disable"}}
	return "postgres://" + role + "@/" + database + "?" + q.Encode()
}

func connect(ctx context.Context, addr string) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(addr)
	if err != nil {
		return nil, errors.New("it is not a PostgreSQL URL")
	}
	cfg.ConnectTimeout = 5 * time.Second
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func answers(ctx context.Context, addr string) error {
	conn, err := connect(ctx, addr)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// sqlLogin makes the login the product's programs and tests use. Making it
// again is harmless.
const sqlLogin = `
do $$
begin
	perform pg_advisory_xact_lock(15432);
	if not exists (select from pg_roles where rolname = 'bareed') then
		create role bareed login createrole createdb;
	end if;
	if not exists (select from pg_roles where rolname = 'bareed_backup') then
		create role bareed_backup nologin bypassrls;
		grant bareed_backup to bareed with admin option;
	end if;
	if current_setting('server_version_num')::int >= 160000 then
		-- A role that creates another becomes a full member of it, as before 16.
		execute 'alter role bareed set createrole_self_grant = ''set, inherit''';
	end if;
end $$`

// ensureLogin makes the login, and in demo mode the database.
func ensureLogin(ctx context.Context, run string, m Mode) error {
	conn, err := connect(ctx, postgresURL(run, "postgres", "postgres"))
	if err != nil {
		return fmt.Errorf("connect to make the login: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, sqlLogin); err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	if m != Demo {
		return nil
	}
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, demoDatabase).Scan(&there)
	if err != nil || there {
		return err
	}
	if _, err := conn.Exec(ctx, `create database `+demoDatabase+` owner `+postgresRole); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return nil
}
