//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"

	"bareed/internal/e2e/look"
	"bareed/internal/rig"
)

// signIn gets the sessions that the matrix uses, one for each person and
// language: the language is the person's own.
func (r *run) signIn(ctx context.Context) error {
	people := map[string]rig.Login{owner: r.world.still.Owner, "owner.ar": r.world.users["ar"], operator: r.world.still.Operator, "operator.ar": r.world.busy.Operator}
	for who, login := range people {
		session, err := r.world.rig.SignIn(ctx, login)
		if err != nil {
			return fmt.Errorf("sign %s in: %w", who, err)
		}
		r.sessions[who] = session
	}
	for _, who := range []string{"owner.ar", "operator.ar"} {
		if _, err := r.world.form(ctx, r.sessions[who], "/language", "application/x-www-form-urlencoded", values("language", "ar", "back", "/")); err != nil {
			return fmt.Errorf("choose Arabic: %w", err)
		}
	}
	return nil
}

// profiles opens a browser profile for each who, in one language.
func (r *run) profiles(ctx context.Context, lang string) (map[string]*look.Tab, error) {
	all := map[string]*look.Tab{}
	for _, who := range []string{owner, operator, nobody} {
		t, err := r.browser.Profile()
		if err != nil {
			return nil, err
		}
		key := who
		if lang == "ar" {
			key += ".ar"
		}
		if s := r.sessions[key]; s != "" {
			for _, name := range []string{sessionCookie, "__Host-" + sessionCookie} {
				if err := t.Cookie(r.world.rig.URL, name, s); err != nil {
					return nil, err
				}
			}
		}
		if err := t.Cookie(r.world.rig.URL, "lang", lang); err != nil {
			return nil, err
		}
		all[who] = t
	}
	return all, nil
}

// database makes an empty database on the private server and drops it later.
func database(ctx context.Context, server string) (address string, drop func(), err error) {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", nil, fmt.Errorf("reach the database: %w", err)
	}
	name := fmt.Sprintf("e2e_%d", os.Getpid())
	end := context.WithoutCancel(ctx)
	if _, err := c.Exec(ctx, "create database "+name); err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("read the database's address: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func() {
		_, _ = c.Exec(end, "drop database if exists "+name+" with (force)") // the server is private and ends with us
		_ = c.Close(end)
	}, nil
}
