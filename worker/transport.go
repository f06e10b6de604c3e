package worker

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/internal/id"
	"bareed/messages"
	"bareed/templates"
	"bareed/whatsapp"
	"bareed/whatsapp/codes"
)

// settle judges an answer by the way the message went. By the Marketing Messages
// API a template of the last ten minutes may be refused as a bad value while Meta
// still prepares it: then the message waits, and its campaign with it, instead of
// being lost; ten minutes later the same refusal is what it says.
func (w *Worker) settle(ctx context.Context, ws id.Workspace, c messages.Claim, got whatsapp.SendResult) answer {
	as, syncing := codes.Syncing(got.Code)
	if c.Marketing == nil || !syncing || got.Outcome != whatsapp.RefusedForGood || !w.young(ctx, ws, c.TemplateID) {
		return w.judge(c, got)
	}
	class := codes.Classify(as)
	class.Title = got.Title
	got.Outcome, got.Scope = class.Outcome, class.Scope
	a := answer{claim: c, result: messages.ResultOf(c, got)}
	if o, ok := messages.StopForCode(class, got.Code, c); ok {
		a.stop = &o
	}
	return a
}

// young asks how old a template is. Without an answer it counts as new: a message
// that waits can still be sent, one that failed cannot.
func (w *Worker) young(ctx context.Context, ws id.Workspace, template id.Template) (young bool) {
	err := w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) (err error) {
		young, err = templates.Young(ctx, tx, ws, template)
		return err
	})
	if err != nil {
		w.Log.Warn("look how old a template is", "template", template, "error", err)
		return true
	}
	return young
}
