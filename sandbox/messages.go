package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"bareed/internal/clock"
	"bareed/sandbox/asset"
	"bareed/sandbox/journal"
	"bareed/sandbox/strict"
	"bareed/whatsapp"
)

// message is an accepted message on its way.
type message struct {
	wamid    string
	wa       string // "" for a business-scoped id nobody has
	userID   string
	callback string
	category string
	number   *number
	template *template // nil for a text
	accepted time.Time
	inWindow bool
	failCode int // ends with a failed status
	noRead   bool
	noArrive bool
	read     bool // read for certain
	counted  bool // the portfolio has counted it
	lost     bool // over the portfolio's limit
	emitted  [len(stepNames)]bool
}

// reply is how a request is answered.
type reply struct {
	decision journal.Decision
	refusal  *strict.Refusal
	body     any
	slow     time.Duration
	latency  time.Duration
}

// postMessage handles POST /{number}/messages and …/marketing_messages: journal,
// decide, journal, webhooks, answer, in this order.
func (s *Server) postMessage(w http.ResponseWriter, r *http.Request, numberID, edge string) {
	body, err := readBody(r)
	if err != nil {
		return // the sender went away before the request was whole: nothing arrived
	}
	var in strict.Request
	malformed := json.Unmarshal(body, &in)
	in.Marketing = edge == edgeMarketing
	entry := journal.Entry{
		At: s.Now(), NumberID: numberID, Recipient: def(in.To, in.Recipient), Type: in.Type, CallbackData: in.CallbackData,
		Endpoint: edge, ProductPolicy: in.ProductPolicy(), ActivitySharing: in.Shares(),
	}
	if in.Template != nil {
		entry.Template, entry.Language = in.Template.Name, in.Template.Language.Code
	}
	e, err := s.journal.Arrive(entry)
	if err != nil {
		s.log.Error("journal", "err", err)
		http.Error(w, "journal not writable", http.StatusServiceUnavailable)
		return
	}
	form := strict.Refuse(100, "malformed JSON")
	if malformed == nil {
		form = in.Check(body)
	}
	rep, msg := s.decide(bearer(r), numberID, &in, form)
	if err := s.journal.Decide(e, rep.decision); err != nil {
		s.log.Error("journal", "err", err)
		http.Error(w, "journal not writable", http.StatusServiceUnavailable)
		return
	}
	if msg != nil {
		s.start(msg, rep.decision.Held)
	}
	if !clock.Pause(r.Context(), rep.latency) {
		return
	}
	s.answer(w, r, rep)
}

// decide needs no lock; it takes mu for the whole decision, so that limits hold
// under any number of parallel requests.
func (s *Server) decide(token, numberID string, in *strict.Request, form *strict.Refusal) (reply, *message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	rep := reply{latency: s.pick([2]int{s.scenario.LatencyMS, s.scenario.LatencyMS + s.scenario.LatencyJitterMS})}
	rep.decision.Fate = journal.FateAnswered
	n := s.numbers[numberID]
	var f *Fault
	ref := s.gate(token, n)
	if ref == nil {
		ref = s.throughput(n, now)
	}
	if ref == nil {
		if f = s.magic(in); f == nil {
			f = s.fault(n, in)
		}
		ref = f.refuses(&rep, in)
	}
	if ref == nil {
		ref = form
	}
	var msg *message
	if ref == nil {
		msg, ref = s.accept(n, in, now)
	}
	if ref != nil {
		rep.refusal = ref
		rep.decision.Code = ref.Code
		rep.decision.HTTPStatus = ref.HTTPStatus()
		return rep, nil
	}
	f.shape(&rep, msg)
	s.welcome(&rep, msg, in)
	return rep, msg
}

// throughput counts the request and refuses it above the number's messages per
// second; only accepted ones use the rate up.
func (s *Server) throughput(n *number, now time.Time) *strict.Refusal {
	n.asked.Add(now)
	if n.rate.Count(now) >= n.MPS+int(float64(n.MPS)*s.scenario.ThroughputSlack) {
		return strict.Refuse(whatsapp.CodeThroughput, "messages of this number per second")
	}
	return nil
}

// gate checks credential, number and account.
func (s *Server) gate(token string, n *number) *strict.Refusal {
	if ref := s.checkToken(token); ref != nil {
		return ref
	}
	if n == nil {
		return strict.Refuse(33, "no such phone number")
	}
	if ref := s.checkAccess(token, scopeMessaging, n.WABAID); ref != nil {
		return ref
	}
	if n.Status != "CONNECTED" {
		return strict.Refuse(133010, "the phone number is not registered")
	}
	if n.waba.ReviewStatus != "APPROVED" {
		return strict.Refuse(131031, "the account is not approved")
	}
	return nil
}

// accept validates against state, takes the limits and makes the message.
func (s *Server) accept(n *number, in *strict.Request, now time.Time) (*message, *strict.Refusal) {
	portfolio := n.waba.portfolio
	msg := &message{number: n, callback: in.CallbackData, category: "service", accepted: now}
	if in.To != "" {
		msg.wa = asset.WaID(in.To)
		if msg.wa == asset.WaID(n.DisplayPhone) {
			return nil, strict.Refuse(131021, "recipient is the sender")
		}
		msg.userID = s.meet(portfolio.ID, msg.wa)
	} else {
		msg.userID = in.Recipient
		if msg.wa = s.byUserID[in.Recipient]; msg.wa == "" || asset.UserID(portfolio.ID, msg.wa) != in.Recipient {
			msg.wa, msg.failCode = "", 131026 // nobody of this portfolio
		}
	}
	msg.inWindow = n.inWindow(msg.person(), now)
	if in.Template != nil {
		t, ref := n.waba.checkTemplate(in.Template)
		if ref != nil {
			return nil, ref
		}
		if ref := n.waba.carries(t, in.Marketing); ref != nil {
			return nil, ref
		}
		msg.template, msg.category = t, t.pricedAs(in.Marketing)
	} else if !msg.inWindow && msg.failCode == 0 {
		msg.failCode = 131047
	}
	interval := time.Duration(s.scenario.PairIntervalMS) * time.Millisecond
	if !n.pairs.Allows(msg.person(), now, interval, s.scenario.PairBurst) {
		return nil, strict.Refuse(whatsapp.CodePairRate, "messages to this person in a short time")
	}
	n.pairs.Add(msg.person(), now, interval)
	n.rate.Add(now)
	msg.wamid = s.newWAMID(msg.person())
	msg.noArrive = !s.chance(s.scenario.DeliverProbability)
	msg.noRead = !s.chance(s.scenario.ReadProbability)
	if msg.failCode == 0 && s.chance(s.scenario.FailProbability) {
		msg.failCode = s.scenario.FailCode
	}
	return msg, nil
}

// person is what limits count: the phone where known.
func (m *message) person() string { return def(m.wa, m.userID) }

// newWAMID needs mu. Like Meta's it holds the phone number in base64.
func (s *Server) newWAMID(person string) string {
	return "wamid." + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x1d\x0b%s\x15\x02%s%08x", person, s.boot, s.next()))
}

// welcome writes the 200.
func (s *Server) welcome(rep *reply, msg *message, in *strict.Request) {
	rep.decision.Accepted, rep.decision.WAMID, rep.decision.HTTPStatus = true, msg.wamid, http.StatusOK
	status := whatsapp.StatusAccepted
	if s.isHeld(msg) {
		rep.decision.Held, status = true, whatsapp.StatusHeld
	}
	contact := map[string]string{"input": def(in.To, in.Recipient)}
	if p := s.people[msg.wa]; in.To != "" && msg.wa != "" && (p == nil || !p.Hidden) {
		contact["wa_id"] = msg.wa
	} else {
		contact["user_id"] = msg.userID
	}
	rep.body = map[string]any{
		"messaging_product": "whatsapp", "contacts": []any{contact},
		"messages": []any{map[string]string{"id": msg.wamid, "message_status": status}},
	}
	if rep.decision.Fate == journal.FateNoID {
		rep.body = map[string]any{"messaging_product": "whatsapp", "contacts": []any{contact}}
	}
}

// answer plays the decided fate.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, rep reply) {
	switch rep.decision.Fate {
	case journal.FateCut:
		panic(http.ErrAbortHandler) // net/http closes the connection without an answer
	case journal.FateReset:
		reset(w)
		return
	case journal.FateHTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><body><h1>502 Bad Gateway</h1></body></html>")
		return
	case journal.FateRedirect:
		w.Header().Set("Location", "http://127.0.0.1:9/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	case journal.FateCutBody:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "400")
		_, _ = io.WriteString(w, `{"messaging_product":"whatsapp","contacts":[{"inp`)
		panic(http.ErrAbortHandler)
	case journal.FateSlow:
		if !clock.Pause(r.Context(), rep.slow) {
			return
		}
	}
	if rep.refusal != nil {
		s.writeRefusal(w, rep.refusal)
		return
	}
	writeJSON(w, http.StatusOK, rep.body)
}

// reset drops the connection with a TCP reset instead of an orderly end.
func reset(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
