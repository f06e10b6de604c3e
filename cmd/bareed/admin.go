package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
)

// adminCommand is one thing an operator makes from the command line. It prints
// what it made as one JSON object.
type adminCommand struct {
	name string
	use  string
	run  func(ctx context.Context, p *process, args []string) (any, error)
}

func adminCommands() []adminCommand {
	return []adminCommand{
		{"organisation", "-name NAME", adminOrganisation},
		{"workspace", "-organisation org_… -name NAME [-zone Asia/Riyadh] [-test]", adminWorkspace},
		{"user", "-organisation org_… -email ADDRESS [-name NAME] [-workspace ws_… -role ROLE] [-operator]; the password is read from standard input", adminUser},
		{"key", "-workspace ws_… -name NAME -scopes a,b (or all) [-test]", adminKey},
		{"hold", "[-workspace ws_…] [-reason restored]; nothing leaves any workspace until release", adminHold},
		{"release", "[-workspace ws_…] [-reason restored]; clears what hold opened for this reason; without one also database_behind", adminRelease},
		{"events", "retry [-workspace ws_…]; webhook events given up after six tries are applied again", adminEvents},
		{"rewrap", "seals with the newest master key what older ones sealed; with 0 left they can go", adminRewrap},
	}
}

func runAdmin(ctx context.Context, args []string) error {
	for _, c := range adminCommands() {
		if len(args) == 0 || c.name != args[0] {
			continue
		}
		p, err := begin(ctx, "admin")
		if err != nil {
			return err
		}
		defer p.close()
		made, err := c.run(ctx, p, args[1:])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(made)
	}
	var lines []string
	for _, c := range adminCommands() {
		lines = append(lines, "  bareed admin "+c.name+" "+c.use)
	}
	return fmt.Errorf("%w:\n%s", errUsage, strings.Join(lines, "\n"))
}

// flags reads a subcommand's flags; a bad one is a wrong call, not a failure.
func flags(name string, args []string, define func(*flag.FlagSet)) error {
	set := flag.NewFlagSet("bareed admin "+name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	define(set)
	if err := set.Parse(args); err != nil {
		return fmt.Errorf("%w: admin %s: %w", errUsage, name, err)
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%w: admin %s does not take %q", errUsage, name, set.Arg(0))
	}
	return nil
}

func adminOrganisation(ctx context.Context, p *process, args []string) (any, error) {
	var name string
	if err := flags("organisation", args, func(f *flag.FlagSet) { f.StringVar(&name, "name", "", "") }); err != nil {
		return nil, err
	}
	org, err := accounts.CreateOrganisation(ctx, p.pool, name)
	return map[string]any{"organisation": org, "name": name}, err
}

func adminWorkspace(ctx context.Context, p *process, args []string) (any, error) {
	var r accounts.NewWorkspaceRequest
	var test bool
	err := flags("workspace", args, func(f *flag.FlagSet) {
		f.TextVar(&r.Organisation, "organisation", id.Organisation{}, "")
		f.StringVar(&r.Name, "name", "", "")
		f.StringVar(&r.Zone, "zone", "UTC", "")
		f.BoolVar(&test, "test", false, "")
	})
	if err != nil {
		return nil, err
	}
	r.Live = !test
	ws, err := accounts.CreateWorkspace(ctx, p.pool, p.vault, r)
	return map[string]any{"workspace": ws, "name": r.Name}, err
}

func adminUser(ctx context.Context, p *process, args []string) (any, error) {
	var r accounts.NewUserRequest
	var ws id.Workspace
	var role string
	err := flags("user", args, func(f *flag.FlagSet) {
		f.TextVar(&r.Organisation, "organisation", id.Organisation{}, "")
		f.StringVar(&r.Email, "email", "", "")
		f.StringVar(&r.Name, "name", "", "")
		f.TextVar(&ws, "workspace", id.Workspace{}, "")
		f.StringVar(&role, "role", string(accounts.Owner), "")
		f.BoolVar(&r.Operator, "operator", false, "")
	})
	if err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read the password: %w", err)
	}
	r.Password = strings.TrimRight(line, "\r\n")
	hasher, err := accounts.NewHasher(accounts.OWASP)
	if err != nil {
		return nil, err
	}
	user, err := accounts.CreateUser(ctx, p.pool, hasher, r)
	if err != nil || ws.IsZero() {
		return map[string]any{"user": user, "email": r.Email}, err
	}
	err = p.pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		return accounts.Join(ctx, tx, accounts.System(ws, "admin"), user, accounts.Role(role))
	})
	return map[string]any{"user": user, "email": r.Email, "workspace": ws, "role": role}, err
}

func adminKey(ctx context.Context, p *process, args []string) (any, error) {
	var ws id.Workspace
	var name, scopes string
	var test bool
	err := flags("key", args, func(f *flag.FlagSet) {
		f.TextVar(&ws, "workspace", id.Workspace{}, "")
		f.StringVar(&name, "name", "", "")
		f.StringVar(&scopes, "scopes", "", "")
		f.BoolVar(&test, "test", false, "")
	})
	if err != nil {
		return nil, err
	}
	list := strings.Split(scopes, ",")
	if scopes == "all" {
		list = accounts.ScopeNames()
	}
	var key accounts.Key
	var secret string
	err = p.pool.InWorkspace(ctx, ws, func(tx pgx.Tx) (err error) {
		key, secret, err = accounts.NewKey(ctx, tx, accounts.System(ws, "admin"), accounts.KeyRequest{Name: name, Scopes: list, Live: !test})
		return err
	})
	return map[string]any{"key": key.ID, "secret": secret, "scopes": list}, err
}
