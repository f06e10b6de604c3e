package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
)

// Identity is a credential that was checked: who it is, and what the gates in
// front of every route need to know.
type Identity struct {
	Actor     Actor
	User      id.User    // of a session
	Session   id.Session //
	Key       id.Key     // of an API key
	Name      string
	Email     string
	Language  string
	Operator  bool
	Suspended bool // the workspace's state
	ExpiresAt time.Time
}

// The form of an API key: bk_live_ or bk_test_, then 32 random bytes as 43
// characters of unpadded base64url.
const (
	keyLive   = "bk_live_"
	keyTest   = "bk_test_"
	keySecret = 43
)

// KeyShaped tells whether text has the form of an API key; nothing is hashed or
// looked up for what has not.
func KeyShaped(text string) bool {
	rest, ok := strings.CutPrefix(text, keyLive)
	if !ok {
		rest, ok = strings.CutPrefix(text, keyTest)
	}
	return ok && len(rest) == keySecret && tokenShaped(rest)
}

func tokenShaped(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return len(s) == keySecret
}

// newSecret is 256 random bits as 43 characters.
func newSecret() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func secretHash(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

const sqlFindKey = `
	select k.workspace_id, k.id, k.live and w.live, k.scopes, w.state = 'suspended',
		k.revoked_at is not null or coalesce(k.expires_at <= bareed_now(), false)
	from api_key k
	join workspace w on w.workspace_id = k.workspace_id
	where k.hash = $1`

// FindKey checks an API key: auth.key when it is none of ours, auth.key_revoked
// when it was revoked or has expired.
func FindKey(ctx context.Context, pool *pg.Pool, key string) (Identity, error) {
	if !KeyShaped(key) {
		return Identity{}, errs.New("auth.key")
	}
	var who Identity
	var dead bool
	a := &who.Actor
	err := pool.Engine().QueryRow(ctx, sqlFindKey, secretHash(key)).
		Scan(&a.Workspace, &who.Key, &a.Live, &a.Scopes, &who.Suspended, &dead)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Identity{}, errs.New("auth.key")
	case err != nil:
		return Identity{}, fmt.Errorf("find the key: %w", err)
	case dead:
		return Identity{}, errs.New("auth.key_revoked")
	}
	a.Kind, a.ID = KindKey, who.Key.String()
	return who, nil
}

// IdleTime is how long a session lasts without a request. Requests are noted
// once a minute, so it can be a minute shorter.
const IdleTime = 30 * time.Minute

// The membership is read with every request, so that a lowered role holds from
// the next one on.
const sqlFindSession = `
	select s.id, u.id, u.name, u.email, u.language, u.operator, s.expires_at,
		s.seen_at < bareed_now() - interval '1 minute',
		m.workspace_id, coalesce(m.role, ''), coalesce(w.live, false), coalesce(w.state = 'suspended', false)
	from session s
	join user_account u on u.id = s.user_id
	left join membership m on m.user_id = s.user_id and m.workspace_id = s.workspace_id
	left join workspace w on w.workspace_id = m.workspace_id
	where s.token_hash = $1
	  and s.ended_at is null
	  and s.expires_at > bareed_now()
	  and s.seen_at > bareed_now() - interval '30 minutes'
	  and u.disabled_at is null`

const sqlSeen = `
	update session
	set seen_at = bareed_now()
	where id = $1`

// FindSession checks a session's token and keeps the session from going idle;
// auth.session when it is unknown, idle for 30 minutes, expired or ended.
func FindSession(ctx context.Context, pool *pg.Pool, token string) (Identity, error) {
	if !tokenShaped(token) {
		return Identity{}, errs.New("auth.session")
	}
	var who Identity
	var stale bool
	a := &who.Actor
	err := pool.Engine().QueryRow(ctx, sqlFindSession, secretHash(token)).
		Scan(&who.Session, &who.User, &who.Name, &who.Email, &who.Language, &who.Operator, &who.ExpiresAt,
			&stale, &a.Workspace, &a.Role, &a.Live, &who.Suspended)
	if errors.Is(err, pgx.ErrNoRows) {
		return Identity{}, errs.New("auth.session")
	}
	if err != nil {
		return Identity{}, fmt.Errorf("find the session: %w", err)
	}
	a.Kind, a.ID = KindUser, who.User.String()
	if a.Workspace.IsZero() && who.Operator {
		a.Kind = KindOperator
	}
	if !stale {
		return who, nil
	}
	err = pool.AsUser(ctx, who.User, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, sqlSeen, who.Session)
		return err
	})
	if err != nil {
		return Identity{}, fmt.Errorf("keep the session: %w", err)
	}
	return who, nil
}
