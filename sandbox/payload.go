package sandbox

import (
	"strconv"
	"time"

	"bareed/sandbox/asset"
	"bareed/sandbox/hooks"
	"bareed/whatsapp"
)

func newMessages(n *number) hooks.Messages {
	return hooks.NewMessages(asset.Digits(n.DisplayPhone), n.ID)
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// status needs mu of the server; it is one step of a message as Meta reports it.
func (s *Server) status(m *message, step int, now time.Time) (hooks.Status, *hooks.Contact) {
	st := hooks.Status{ID: m.wamid, Status: stepNames[step], Timestamp: seconds(now), Callback: m.callback}
	contact := s.contactOf(m.wa, m.userID)
	st.Recipient = contact.WaID
	if step == stepFailed {
		title := whatsapp.Classify(m.failCode).Title
		st.Errors = []hooks.Error{{Code: m.failCode, Title: title, Message: title, Data: map[string]string{"details": "scripted"}}}
		if st.Recipient == "" {
			st.UserID = m.userID
		}
		return st, nil // Meta leaves the contacts out of a failure
	}
	st.UserID = m.userID
	if step != stepRead {
		st.Pricing = hooks.Priced(m.category, m.inWindow, m.accepted)
	}
	return st, &contact
}
