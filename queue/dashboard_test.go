package queue_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bareed/queue"
)

func TestDashboard(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	m := message()
	s.enqueue(m)
	const secret = "4915112345678"
	s.raw("message:send", []byte(`{"to":"`+secret+`"}`), queue.Send)
	s.raw("other:thing", []byte(secret), queue.Send)
	d := queue.NewDashboard(s.opts, "/admin/queues/", true)
	t.Cleanup(func() { _ = d.Close() })
	get := func(method, path string) (int, string) {
		t.Helper()
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return w.Code, w.Body.String()
	}
	if code, body := get(http.MethodGet, "/admin/queues/"); code != 200 || !strings.Contains(body, "<html") {
		t.Errorf("page: %d", code)
	}
	code, body := get(http.MethodGet, "/admin/queues/api/queues/send/pending_tasks")
	if code != 200 || !strings.Contains(body, m.Contact.String()) {
		t.Errorf("pending: %d %s", code, body)
	}
	if strings.Contains(body, secret) || !strings.Contains(body, "(unreadable)") || !strings.Contains(body, "(unknown type)") {
		t.Errorf("foreign payloads are shown: %s", body)
	}
	if code, _ := get(http.MethodPost, "/admin/queues/api/queues/send:pause"); code != http.StatusMethodNotAllowed {
		t.Errorf("pause on a read-only page: %d", code)
	}
	if code, _ := get(http.MethodDelete, "/admin/queues/api/queues/send/pending_tasks:delete_all"); code != http.StatusMethodNotAllowed {
		t.Errorf("delete on a read-only page: %d", code)
	}

	w := queue.NewDashboard(s.opts, "/admin/queues", false)
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/admin/queues/api/queues/send:pause", nil))
	if rec.Code >= 300 || !s.stats(queue.Send).Paused {
		t.Errorf("pause on a page that may: %d", rec.Code)
	}
	if err := w.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func FuzzDashboardShowsIdentifiersOnly(f *testing.F) {
	f.Add(`{"w":"ws_00000000000000000000000000000001"}`)
	f.Add(`{"w":"ws_0195c1d2e3f4707b8c9da1b2c3d4e5f6","a":"waba_0195c1d2e3f4707b8c9da1b2c3d4e5f6","f":3,"name":"Ahmad"}`)
	f.Fuzz(func(t *testing.T, payload string) {
		shown := queue.FormatPayload("waba:sync", []byte(payload))
		if shown == "(unreadable)" {
			return
		}
		if strings.Contains(shown, "name") || len(shown) > 150 {
			t.Errorf("shown: %s", shown)
		}
	})
}
