package board

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"bareed/internal/errs"
	"bareed/internal/id"
	"bareed/internal/pg"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/templates"
)

// Text is what one message said: the template as it was at the launch, and the
// person's own values, which are for those who see personal data.
type Text struct {
	Template templates.Template
	Values   templates.Values // nil: none yet, or removed after the end
}

const sqlText = `
select r.template, m.parameters
from message m
join run r on r.workspace_id = m.workspace_id and r.id = m.run_id
where m.workspace_id = $1
  and m.run_id = $2
  and m.ordinal = $3`

// ReadText reads what a message said; not_found for any other.
func ReadText(ctx context.Context, db pg.DB, box *seal.Box, ws id.Workspace, m id.Message) (t Text, err error) {
	var template, sealed []byte
	err = db.QueryRow(ctx, sqlText, ws, m.Run, m.Ordinal).Scan(&template, &sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, errs.New("not_found")
	}
	if err != nil {
		return t, fmt.Errorf("read the message's text: %w", err)
	}
	if err := json.Unmarshal(template, &t.Template); err != nil {
		return t, fmt.Errorf("read the run's template: %w", err)
	}
	if len(sealed) == 0 {
		return t, nil
	}
	plain, err := box.Open(sealed, messages.ParametersPlace(m))
	if err != nil {
		return t, fmt.Errorf("open the parameters: %w", err)
	}
	if err := json.Unmarshal(plain, &t.Values); err != nil {
		return t, fmt.Errorf("read the parameters: %w", err)
	}
	return t, nil
}
