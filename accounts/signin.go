package accounts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Guessing is slowed: so many tries in the window per account and per address.
const (
	triesAccount = 10
	triesAddress = 50
)

// SignInRequest is what a person gives to sign in. Workspace may be zero: the
// first one by name is used then.
type SignInRequest struct {
	Email     string
	Password  string
	Workspace id.Workspace
	Address   string
	Agent     string
	RequestID string
}

// Session is a new session; Token goes into the cookie and is stored nowhere.
type Session struct {
	Token string
	Who   Identity
}

const sqlFindUser = `
	select id, name, email, language, operator, password_hash, disabled_at is not null
	from user_account
	where email = $1`

// SignIn checks a password and opens a session. A wrong password and an unknown
// or disabled user take the same time and give the same auth.sign_in_failed;
// too many tries give auth.too_many_tries, also whether or not the user exists.
func SignIn(ctx context.Context, pool *pg.Pool, h *Hasher, r SignInRequest) (Session, error) {
	email := strings.ToLower(strings.TrimSpace(r.Email))
	account := "a:" + digest(email)
	if err := countTry(ctx, pool, account, "n:"+r.Address); err != nil {
		return Session{}, err
	}
	var who Identity
	var phc string
	var disabled bool
	err := pool.Engine().QueryRow(ctx, sqlFindUser, email).
		Scan(&who.User, &who.Name, &who.Email, &who.Language, &who.Operator, &phc, &disabled)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Session{}, fmt.Errorf("find the user: %w", err)
	}
	ok, weak, err := h.Verify(ctx, phc, r.Password)
	if err != nil {
		return Session{}, err
	}
	if !ok || disabled {
		return Session{}, errs.New("auth.sign_in_failed")
	}
	if weak {
		if err := rehash(ctx, pool, h, who.User, r.Password); err != nil {
			return Session{}, err
		}
	}
	if err := forgetTries(ctx, pool, account, "n:"+r.Address); err != nil {
		return Session{}, err
	}
	return openSession(ctx, pool, who, r)
}

func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}

const sqlCountTry = `
	with tried as (
		insert into sign_in_failure (subject)
		values ($1), ($2)
	)
	select count(*) filter (where subject = $1), count(*) filter (where subject = $2),
		coalesce(extract(epoch from min(at) filter (where subject = $1) + interval '15 minutes' - bareed_now()), 0)::float8,
		coalesce(extract(epoch from min(at) filter (where subject = $2) + interval '15 minutes' - bareed_now()), 0)::float8
	from sign_in_failure
	where subject in ($1, $2)
	  and at > bareed_now() - interval '15 minutes'`

// countTry writes the try down before it is made, so that many at once cannot
// slip past the count; a successful one is taken back.
func countTry(ctx context.Context, pool *pg.Pool, account, address string) error {
	var byAccount, byAddress int
	var waitAccount, waitAddress float64
	err := pool.App().QueryRow(ctx, sqlCountTry, account, address).Scan(&byAccount, &byAddress, &waitAccount, &waitAddress)
	if err != nil {
		return fmt.Errorf("count the tries: %w", err)
	}
	wait := 0.0
	if byAccount >= triesAccount {
		wait = waitAccount
	}
	if byAddress >= triesAddress {
		wait = max(wait, waitAddress)
	}
	if byAccount < triesAccount && byAddress < triesAddress {
		return nil
	}
	e := errs.New("auth.too_many_tries", "minutes", int(wait/60)+1)
	e.RetryAfter = time.Duration(max(wait, 1) * float64(time.Second))
	return e
}

const sqlForgetTries = `
	delete from sign_in_failure
	where subject = $1
	   or ctid = (select ctid from sign_in_failure where subject = $2 order by at desc limit 1)`

func forgetTries(ctx context.Context, pool *pg.Pool, account, address string) error {
	if _, err := pool.App().Exec(ctx, sqlForgetTries, account, address); err != nil {
		return fmt.Errorf("forget the tries: %w", err)
	}
	return nil
}

const sqlSetPassword = `
	update user_account
	set password_hash = $2
	where id = $1`

func rehash(ctx context.Context, pool *pg.Pool, h *Hasher, user id.User, password string) error {
	phc, err := h.Hash(ctx, password)
	if err != nil {
		return err
	}
	if _, err := pool.App().Exec(ctx, sqlSetPassword, user, phc); err != nil {
		return fmt.Errorf("renew the password hash: %w", err)
	}
	return nil
}

const sqlFirstWorkspace = `
	select m.workspace_id, m.role, w.live, w.state = 'suspended'
	from membership m
	join workspace w on w.workspace_id = m.workspace_id
	where m.user_id = $1
	  and ($2::uuid is null or m.workspace_id = $2)
	order by w.name, m.workspace_id
	limit 1`

const sqlNewSession = `
	insert into session (id, user_id, workspace_id, token_hash, expires_at, address, agent)
	values ($1, $2, $3, $4, bareed_now() + interval '12 hours', $5, $6)
	returning expires_at`

// openSession always makes a new token: one a browser brought along is never
// taken over.
func openSession(ctx context.Context, pool *pg.Pool, who Identity, r SignInRequest) (Session, error) {
	a := &who.Actor
	err := pool.Engine().QueryRow(ctx, sqlFirstWorkspace, who.User, r.Workspace).Scan(&a.Workspace, &a.Role, &a.Live, &who.Suspended)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && !r.Workspace.IsZero():
		return Session{}, errs.New("ref.not_found").At("/workspace", "")
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return Session{}, fmt.Errorf("find the workspace: %w", err)
	}
	token, err := newSecret()
	if err != nil {
		return Session{}, err
	}
	who.Session = id.New[id.Session]()
	a.Kind, a.ID, a.Address, a.RequestID = KindUser, who.User.String(), r.Address, r.RequestID
	if a.Workspace.IsZero() && who.Operator {
		a.Kind = KindOperator
	}
	err = pool.AsUser(ctx, who.User, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, sqlNewSession, who.Session, who.User, a.Workspace, secretHash(token), r.Address, errs.Clip(r.Agent)).
			Scan(&who.ExpiresAt)
		if err != nil || a.Workspace.IsZero() {
			return err
		}
		if err := pg.Enter(ctx, tx, a.Workspace); err != nil {
			return err
		}
		return Audit(ctx, tx, *a, Deed{Action: "session.opened", Subject: who.Session.String()})
	})
	if err != nil {
		return Session{}, fmt.Errorf("open the session: %w", err)
	}
	return Session{Token: token, Who: who}, nil
}
