//go:build unix

package procs

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// makeDatabase makes an empty database of our own on the server of a login
// that may create some, and returns its address and the way to drop it.
func makeDatabase(ctx context.Context, server string) (address string, drop func(), err error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, fmt.Errorf("read the database address: it is not a URL")
	}
	name := "bareed_procs_" + strings.ToLower(rand.Text()[:8])
	u.Path = "/" + name
	if err := command(ctx, server, `create database `+pgx.Identifier{name}.Sanitize()+` template template0`); err != nil {
		return "", nil, fmt.Errorf("make a database: %w", err)
	}
	return u.String(), func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		_ = command(ctx, server, `drop database if exists `+pgx.Identifier{name}.Sanitize()+` with (force)`) // it is on a server for tests
	}, nil
}

func command(ctx context.Context, server, sql string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}
