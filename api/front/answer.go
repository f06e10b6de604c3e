package front

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
)

// Answer answers with what do makes in a transaction of the caller's workspace.
func Answer[T any](ctx context.Context, f *Front, a accounts.Actor, do func(tx pgx.Tx) (T, error)) (*Reply[T], error) {
	out := &Reply[T]{}
	err := f.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = do(tx)
		return err
	})
	return out, err
}

// AnswerTagged is Answer of what has versions; tag names the one that it is (ETag).
func AnswerTagged[T any](ctx context.Context, f *Front, a accounts.Actor, tag func(T) string, do func(tx pgx.Tx) (T, error)) (*Versioned[T], error) {
	out, err := Answer(ctx, f, a, do)
	return &Versioned[T]{ETag: tag(out.Body), Body: out.Body}, err
}

// AnswerChange is AnswerTagged of a change to what read finds: made from another
// version than that, it is refused (Match). change makes the new one out of it.
func AnswerChange[T any](ctx context.Context, f *Front, a accounts.Actor, tag func(T) string, ifMatch string,
	read func(tx pgx.Tx) (T, error), change func(tx pgx.Tx, was T) (T, error)) (*Versioned[T], error) {
	return AnswerTagged(ctx, f, a, tag, func(tx pgx.Tx) (T, error) {
		was, err := read(tx)
		if err == nil {
			err = Match(ifMatch, tag(was), true)
		}
		if err != nil {
			return was, err
		}
		return change(tx, was)
	})
}
