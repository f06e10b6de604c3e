package worker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"

	"bareed/internal/id"
	"bareed/internal/seal"
	"bareed/messages"
	"bareed/messages/callback"
	"bareed/templates"
	"bareed/whatsapp"
)

// render builds what Meta is given from the claimed row: the run's copy of the
// template and the parameters sealed when the run was planned, so that an edit
// of either meanwhile changes nothing. A row that cannot be rendered is that
// row's failure alone.
func (w *Worker) render(box *seal.Box, c messages.Claim) (m whatsapp.TemplateMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("render panicked: %v", p)
		}
	}()
	t, err := w.prepared.of(c)
	if err != nil {
		return m, err
	}
	values := templates.Values{}
	if len(c.Parameters) > 0 {
		plain, err := box.Open(c.Parameters, messages.ParametersPlace(c.Message))
		if err != nil {
			return m, fmt.Errorf("open the parameters: %w", err)
		}
		if err := json.Unmarshal(plain, &values); err != nil {
			return m, fmt.Errorf("read the parameters: %w", err)
		}
	}
	if m, err = t.Render(values); err != nil {
		return m, err
	}
	m.To = whatsapp.To{Phone: c.Address}
	if whatsapp.IsBSUID(c.Address) {
		m.To = whatsapp.To{BSUID: c.Address}
	}
	m.Marketing = c.Marketing
	m.CallbackData = callback.Data{Message: c.Message, Attempt: c.Attempt}.Encode(w.Vault)
	return m, nil
}

// prepared keeps the templates of the runs in progress as they were read once. A
// run's copy changes only when a person agrees to what Meta changed.
type prepared struct {
	mu sync.Mutex
	by map[id.Run]preparedRun
}

type preparedRun struct {
	raw []byte
	templates.Prepared
}

// runsKept is how many are kept; more, and all are read anew.
const runsKept = 256

func (p *prepared) of(c messages.Claim) (templates.Prepared, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.by[c.Message.Run]; ok && bytes.Equal(t.raw, c.Template) {
		return t.Prepared, nil
	}
	var t templates.Template
	if err := json.Unmarshal(c.Template, &t); err != nil {
		return templates.Prepared{}, fmt.Errorf("read the run's template: %w", err)
	}
	if len(p.by) >= runsKept || p.by == nil {
		p.by = map[id.Run]preparedRun{}
	}
	prepared := templates.Prepare(t)
	p.by[c.Message.Run] = preparedRun{c.Template, prepared}
	return prepared, nil
}
