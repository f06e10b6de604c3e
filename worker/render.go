package worker

import (
	"encoding/json"
	"fmt"

	"bareed/internal/seal"
	"bareed/messages"
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
	var t templates.Template
	if err := json.Unmarshal(c.Template, &t); err != nil {
		return m, fmt.Errorf("read the run's template: %w", err)
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
	if m, err = templates.Render(t, values); err != nil {
		return m, err
	}
	m.To = whatsapp.To{Phone: c.Address}
	if whatsapp.IsBSUID(c.Address) {
		m.To = whatsapp.To{BSUID: c.Address}
	}
	m.CallbackData = messages.Callback{Message: c.Message, Attempt: c.Attempt}.Encode(w.Vault)
	return m, nil
}
