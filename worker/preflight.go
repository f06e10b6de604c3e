package worker

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/check"
	"bareed/campaigns/guard"
	"bareed/campaigns/plan"
	"bareed/internal/id"
	"bareed/messages/changed"
	"bareed/numbers"
	"bareed/numbers/budget"
	"bareed/numbers/onboarding"
	"bareed/queue"
	"bareed/templates"
	"bareed/whatsapp"
)

// preflightTime bounds Meta's two answers: a check or a firing does not wait longer.
const preflightTime = 8 * time.Second

// preflight asks Meta whether the number and the template can be sent, before a
// check and before a firing, and for marketing how the account is set up for its two
// ways, and keeps the answers; what is BLOCKED opens a stop. A
// question that fails, or that the budget does not allow, stops nothing: what was
// last answered stands, with its time.
func (w *Worker) preflight(ctx context.Context, ws id.Workspace, number id.Number, template id.Template) {
	if w.Meta == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, preflightTime)
	defer cancel()
	if err := w.askHealth(ctx, ws, number, template); err != nil {
		w.Log.Warn("Meta was not asked whether this can be sent", "workspace", ws, "number", number, "template", template, "error", err)
	}
}

// healthAsk is what a preflight asks with.
type healthAsk struct {
	number   numbers.Number
	template templates.Template
	account  budget.Account
	token    whatsapp.Token
}

func (w *Worker) askHealth(ctx context.Context, ws id.Workspace, number id.Number, template id.Template) error {
	q, err := w.readAsk(ctx, ws, number, template)
	if err != nil {
		return err
	}
	if until, err := budget.Paused(ctx, w.Pool.Engine(), q.account); err != nil || until != nil {
		return err
	}
	var meter whatsapp.Meter
	client := w.Meta.Metered(&meter)
	ofNumber, err := client.HealthStatus(ctx, q.token, q.number.PhoneNumberID)
	var ofTemplate whatsapp.Health
	if err == nil && q.template.MetaID != "" {
		ofTemplate, err = client.HealthStatus(ctx, q.token, q.template.MetaID)
	}
	var account whatsapp.WABA
	if err == nil && q.template.Category == "MARKETING" {
		account, err = client.GetWABA(ctx, q.token, q.account.MetaWABA)
	}
	if counted := w.spent(ctx, q.account, meter, q.number.Status == numbers.Connected, err); counted != nil {
		return errors.Join(err, counted)
	}
	if ofNumber.CanSend == "" {
		return err
	}
	return errors.Join(err, w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		setUp, err := onboarding.Apply(ctx, tx, ws, q.number.WABA, account) // first: a poll locks the account before its numbers
		if err != nil {
			return err
		}
		changes, err := numbers.ApplyHealth(ctx, tx, ws, q.number, ofNumber)
		if err != nil {
			return err
		}
		more, err := templates.ApplyHealth(ctx, tx, ws, template, ofTemplate)
		if err != nil {
			return err
		}
		return w.stopOn(ctx, tx, ws, append(append(changes, more...), setUp...))
	}))
}

func (w *Worker) readAsk(ctx context.Context, ws id.Workspace, number id.Number, template id.Template) (q healthAsk, err error) {
	box, err := w.Vault.Box(ctx, ws)
	if err != nil {
		return q, err
	}
	err = w.Pool.InWorkspace(ctx, ws, func(tx pgx.Tx) error {
		if q.number, err = numbers.Get(ctx, tx, ws, number); err != nil {
			return err
		}
		if q.template, err = templates.Get(ctx, tx, ws, template); err != nil {
			return err
		}
		if q.account.App, q.account.MetaWABA, err = numbers.AccountAtMeta(ctx, tx, ws, q.number.WABA); err != nil {
			return err
		}
		q.token, err = numbers.Token(ctx, tx, box, ws, q.number.WABA)
		return err
	})
	return q, err
}

// spent counts what a question cost against the account's budget.
func (w *Worker) spent(ctx context.Context, a budget.Account, m whatsapp.Meter, registered bool, failed error) error {
	s := budget.Spent{Calls: m.Calls, Percent: m.Percent, Registered: registered}
	var refused *whatsapp.Error
	if errors.As(failed, &refused) && refused.HasCode && (refused.Code == 4 || refused.Code == 80007) {
		s.Refused, s.Wait = refused.Code, refused.RetryAfter
	}
	return w.Pool.InEngine(ctx, func(tx pgx.Tx) error {
		_, err := budget.Spend(ctx, tx, a, s)
		return err
	})
}

// stopOn opens the stops and holds that changes at Meta call for.
func (w *Worker) stopOn(ctx context.Context, tx pgx.Tx, ws id.Workspace, changes []numbers.Change) error {
	if err := changed.Stop(ctx, tx, ws, changes); err != nil {
		return err
	}
	return guard.Changed(ctx, tx, ws, changes)
}

// ofCheck reads what a check is about; ok is false when it is gone.
func (w *Worker) ofCheck(ctx context.Context, t queue.CheckCampaign) (number id.Number, template id.Template, ok bool) {
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		number, template, ok, err = check.Subject(ctx, tx, t.Workspace, t.Check)
		return err
	})
	return number, template, ok && err == nil
}

// ofRun reads what a run that begins is about; ok is false once somebody is
// planned, so that each firing asks once.
func (w *Worker) ofRun(ctx context.Context, t queue.PlanRun) (number id.Number, template id.Template, ok bool) {
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		number, template, ok, err = plan.Subject(ctx, tx, t.Workspace, t.Run)
		return err
	})
	return number, template, ok && err == nil
}
