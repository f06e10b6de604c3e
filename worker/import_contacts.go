package worker

import (
	"context"

	"bareed/consents"
	"bareed/contacts"
	"bareed/queue"
)

// importContacts reads one uploaded file into contacts, consents and rejected
// rows. Cut off, it goes on behind its last chunk when the scheduler finds its
// lease over.
func (w *Worker) importContacts(ctx context.Context, t queue.ImportContacts) error {
	im := &contacts.Importer{Pool: w.Pool, Vault: w.Vault, Clock: w.Clock, Record: consents.ForImports(w.Vault)}
	return im.Run(ctx, t.Workspace, t.Import)
}
