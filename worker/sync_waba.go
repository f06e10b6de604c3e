package worker

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/messages/changed"
	"bareed/numbers"
	"bareed/numbers/budget"
	"bareed/numbers/onboarding"
	"bareed/queue"
	"bareed/templates"
	"bareed/whatsapp"
)

// maxTemplatePages bounds the list of templates (250 a page; Meta allows 6,000).
const maxTemplatePages = 100

// syncWABA reads a WABA from Meta: its numbers in one call, the account, and its
// templates when the mirror is older than a minute. What changed for the worse
// opens stops in the same transaction; nothing clears one.
func (w *Worker) syncWABA(ctx context.Context, t queue.SyncWABA) error {
	box, err := w.Vault.Box(ctx, t.Workspace)
	if err != nil {
		return err
	}
	var job syncJob
	err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) (err error) {
		job, err = readSyncJob(ctx, tx, t)
		if err != nil {
			return err
		}
		job.token, err = numbers.Token(ctx, tx, box, t.Workspace, t.WABA)
		return err
	})
	if _, gone := errs.As(err); gone {
		return nil // disconnected since the task was made
	}
	if err != nil {
		return fmt.Errorf("prepare a poll: %w", err)
	}
	if until, err := budget.Paused(ctx, w.Pool.Engine(), job.account); err != nil || until != nil {
		return err // DuePolls hands it out again when the pause is over
	}
	var meter whatsapp.Meter
	poll, list, err := w.askMeta(ctx, w.Meta.Metered(&meter), job)
	if counted := w.spent(ctx, job.account, meter, poll.Registered(), err); counted != nil {
		return counted
	}
	if err != nil {
		return w.pollFailed(ctx, t, err)
	}
	err = w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) error { return w.applyPoll(ctx, tx, t, poll, list) })
	if err != nil {
		return fmt.Errorf("apply a poll: %w", err)
	}
	return nil
}

// applyPoll keeps what Meta said, and stops what that calls for; list is nil when
// the templates were not asked for.
func (w *Worker) applyPoll(ctx context.Context, tx pgx.Tx, t queue.SyncWABA, poll numbers.Poll, list []whatsapp.Template) error {
	changes, err := numbers.ApplyPoll(ctx, tx, t.Workspace, t.WABA, poll)
	if err != nil {
		return err
	}
	setUp, err := onboarding.Apply(ctx, tx, t.Workspace, t.WABA, poll.WABA)
	if err != nil {
		return err
	}
	changes = append(changes, setUp...)
	if list != nil {
		more, err := templates.ApplyList(ctx, tx, t.Workspace, t.WABA, list)
		if err != nil {
			return err
		}
		changes = append(changes, more...)
	}
	return w.stopOn(ctx, tx, t.Workspace, changes)
}

// syncJob is what a poll needs to know of its WABA.
type syncJob struct {
	token          whatsapp.Token
	account        budget.Account
	staleTemplates bool
}

func readSyncJob(ctx context.Context, tx pgx.Tx, t queue.SyncWABA) (syncJob, error) {
	var job syncJob
	var err error
	if job.account.App, job.account.MetaWABA, err = numbers.AccountAtMeta(ctx, tx, t.Workspace, t.WABA); err != nil {
		return job, err
	}
	job.staleTemplates, err = templates.Stale(ctx, tx, t.Workspace, t.WABA)
	return job, err
}

// askMeta makes the poll's calls. list is nil when the templates were not asked
// for, and never nil otherwise.
func (w *Worker) askMeta(ctx context.Context, meta *whatsapp.Client, job syncJob) (poll numbers.Poll, list []whatsapp.Template, err error) {
	if poll.Numbers, err = meta.ListPhoneNumbers(ctx, job.token, job.account.MetaWABA); err != nil {
		return poll, nil, err
	}
	if poll.WABA, err = meta.GetWABA(ctx, job.token, job.account.MetaWABA); err != nil {
		return poll, nil, err
	}
	if poll.NoLimit() && poll.WABA.PortfolioID != "" {
		// Not every token may read the portfolio; without it the limit stays as it was known.
		if p, err := meta.GetPortfolio(ctx, job.token, poll.WABA.PortfolioID); err == nil {
			poll.Limit = p.MessagingLimit
		}
	}
	if job.staleTemplates {
		list, err = allTemplates(ctx, meta, job)
	}
	return poll, list, err
}

// allTemplates reads the whole list, once more from the start when it changed
// while it was read (131059). Half a list would make templates disappear.
func allTemplates(ctx context.Context, meta *whatsapp.Client, job syncJob) ([]whatsapp.Template, error) {
	for try := 0; ; try++ {
		list, err := templatePages(ctx, meta, job)
		var refused *whatsapp.Error
		if err == nil || try > 0 || !errors.As(err, &refused) || refused.Code != whatsapp.CodeInvalidCursor {
			return list, err
		}
	}
}

func templatePages(ctx context.Context, meta *whatsapp.Client, job syncJob) ([]whatsapp.Template, error) {
	list := []whatsapp.Template{}
	after := ""
	for range maxTemplatePages {
		page, err := meta.ListTemplates(ctx, job.token, job.account.MetaWABA, after, 250)
		if err != nil {
			return nil, err
		}
		list = append(list, page.Templates...)
		if after = page.After; after == "" {
			return list, nil
		}
	}
	return nil, errors.New("the list of templates does not end")
}

// pollFailed keeps why; a token that Meta refuses stops the WABA. The next poll
// comes by itself, so the task is done either way.
func (w *Worker) pollFailed(ctx context.Context, t queue.SyncWABA, cause error) error {
	problem := numbers.Problem(cause)
	w.Log.Warn("a poll failed", "workspace", t.Workspace, "waba", t.WABA, "problem", problem, "error", cause)
	err := w.Pool.InWorkspace(ctx, t.Workspace, func(tx pgx.Tx) error {
		changes, err := numbers.PollFailed(ctx, tx, t.Workspace, t.WABA, problem)
		if err != nil {
			return err
		}
		return changed.Stop(ctx, tx, t.Workspace, changes)
	})
	if err != nil {
		return fmt.Errorf("keep a failed poll: %w", err)
	}
	return nil
}
