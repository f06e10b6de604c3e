package sandbox

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"bareed/sandbox/strict"
	"bareed/whatsapp"
)

const (
	scopeMessaging  = "whatsapp_business_messaging"
	scopeManagement = "whatsapp_business_management"
)

var versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]{1,2}$`)

func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// checkToken needs mu.
func (s *Server) checkToken(token string) *strict.Refusal {
	t := s.tokens[token]
	if t == nil || t.Revoked || t.ExpiresAt > 0 && s.now().Unix() >= t.ExpiresAt {
		return strict.Refuse(whatsapp.CodeTokenExpired, "the access token is not valid")
	}
	return nil
}

// isAppToken needs mu. An app's own credential is its id and secret; it may
// inspect tokens and nothing else here.
func (s *Server) isAppToken(token string) bool {
	app, secret, ok := strings.Cut(token, "|")
	a := s.apps[app]
	return ok && a != nil && a.Secret == secret
}

// checkAccess needs mu and a token that exists.
func (s *Server) checkAccess(token, scope, wabaID string) *strict.Refusal {
	t := s.tokens[token]
	if !slices.Contains(t.Scopes, scope) {
		return strict.Refuse(10, "the permission "+scope+" is missing")
	}
	if len(t.WABAIDs) > 0 && !slices.Contains(t.WABAIDs, wabaID) {
		return strict.Refuse(200, "no access to this account")
	}
	return nil
}

// serveGraph routes /{version}/{node}[/{edge}].
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	p := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(p) < 2 || len(p) > 3 || !versionForm.MatchString(p[0]) {
		s.writeRefusal(w, &strict.Refusal{Code: 100, Status: http.StatusNotFound, Details: "unknown path"})
		return
	}
	edge := ""
	if len(p) == 3 {
		edge = p[2]
	}
	if r.Method == http.MethodPost && (edge == edgeMessages || edge == edgeMarketing) {
		s.postMessage(w, r, p[1], edge)
		return
	}
	body, err := readBody(r)
	if err != nil {
		return
	}
	s.mu.Lock()
	out, ref := s.node(r, p[1], edge, body)
	s.mu.Unlock()
	if ref != nil {
		s.writeRefusal(w, ref)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// node needs mu; it answers everything but messages.
func (s *Server) node(r *http.Request, id, edge string, body []byte) (any, *strict.Refusal) {
	token := bearer(r)
	if id == "debug_token" && s.isAppToken(token) {
		return s.debugToken(r.URL.Query().Get("input_token"))
	}
	if ref := s.checkToken(token); ref != nil {
		return nil, ref
	}
	if id == "debug_token" {
		return s.debugToken(r.URL.Query().Get("input_token"))
	}
	n, w, p := s.numbers[id], s.wabas[id], s.portfolios[id]
	if n != nil {
		w = n.waba
	}
	if w != nil {
		if ref := s.checkAccess(token, scopeManagement, w.ID); ref != nil {
			return nil, ref
		}
		if w.calls.Over(s.now(), s.scenario.ManagementPerHour) {
			return nil, &strict.Refusal{Code: 80007, Details: "management calls of this account", Usage: w.ID}
		}
	}
	switch t := s.findTemplate(id); {
	case n != nil:
		return numberNode(r, n, edge, body)
	case w != nil:
		return s.accountNode(r, w, edge, body)
	case r.Method != http.MethodGet || edge != "":
	case p != nil:
		return strict.Fields(r, map[string]any{"id": p.ID, "name": p.Name, "whatsapp_business_manager_messaging_limit": p.Limit}, "id,name")
	case t != nil:
		return strict.Fields(r, t.Fields(), "id,name,language,status,category,components")
	}
	return nil, noNode()
}

func noNode() *strict.Refusal {
	return strict.Refuse(100, "unsupported request: no such object or edge")
}

func numberNode(r *http.Request, n *number, edge string, body []byte) (any, *strict.Refusal) {
	switch r.Method + " " + edge {
	case "GET ":
		return strict.Fields(r, n.fields(), "id,display_phone_number,verified_name,quality_rating,code_verification_status,platform_type,throughput")
	case "GET whatsapp_business_profile":
		return map[string]any{"data": []any{n.profile}}, nil
	case "POST whatsapp_business_profile":
		return n.setProfile(body)
	}
	return nil, noNode()
}

func (s *Server) accountNode(r *http.Request, w *waba, edge string, body []byte) (any, *strict.Refusal) {
	switch route := r.Method + " " + edge; {
	case route == "GET ":
		return strict.Fields(r, w.fields(), "id,name,currency,timezone_id")
	case route == "GET phone_numbers":
		return s.listNumbers(r, w)
	case route == "GET message_templates":
		return s.listTemplates(r, w)
	case edge == "subscribed_apps":
		return s.subscriptions(r.Method, w, s.tokens[bearer(r)].AppID, body)
	}
	return nil, noNode()
}

func (n *number) fields() map[string]any { return n.Fields(n.waba.WABA, n.waba.portfolio.Portfolio) }

func (w *waba) fields() map[string]any { return w.Fields(w.portfolio.Portfolio) }

func (n *number) setProfile(body []byte) (any, *strict.Refusal) {
	var in map[string]any
	if json.Unmarshal(body, &in) != nil || in["messaging_product"] != "whatsapp" {
		return nil, strict.Refuse(100, "the parameter messaging_product is required")
	}
	delete(in, "messaging_product")
	for key := range in {
		if !slices.Contains([]string{"about", "address", "description", "email", "websites", "vertical", "profile_picture_handle"}, key) {
			return nil, strict.Refuse(100, "unknown parameter "+key)
		}
	}
	maps.Copy(n.profile, in)
	return map[string]bool{"success": true}, nil
}

func (s *Server) debugToken(input string) (any, *strict.Refusal) {
	t := s.tokens[input]
	if t == nil {
		return map[string]any{"data": map[string]any{
			"is_valid": false, "scopes": []string{}, "error": map[string]any{"code": 190, "message": "Invalid OAuth access token"},
		}}, nil
	}
	data := map[string]any{
		"app_id": t.AppID, "type": "SYSTEM_USER", "application": s.apps[t.AppID].Name, "is_valid": true,
		"expires_at": t.ExpiresAt, "data_access_expires_at": 0, "scopes": t.Scopes,
	}
	if s.checkToken(input) != nil {
		data["is_valid"], data["scopes"] = false, []string{}
		data["error"] = map[string]any{"code": 190, "message": "The token was revoked or has expired"}
	}
	return map[string]any{"data": data}, nil
}

func (s *Server) subscriptions(method string, w *waba, appID string, body []byte) (any, *strict.Refusal) {
	switch method {
	case http.MethodGet:
		list := []any{}
		for _, id := range slices.Sorted(maps.Keys(w.subscribers)) {
			item := map[string]any{"whatsapp_business_api_data": map[string]any{"id": id, "name": s.apps[id].Name}}
			if u := w.subscribers[id]; u != "" {
				item["override_callback_uri"] = u
			}
			list = append(list, item)
		}
		return map[string]any{"data": list}, nil
	case http.MethodPost:
		var in struct {
			URL    string `json:"override_callback_uri"`
			Verify string `json:"verify_token"`
		}
		if len(body) > 0 && json.Unmarshal(body, &in) != nil {
			return nil, strict.Refuse(100, "malformed JSON")
		}
		if in.URL != "" && (in.Verify == "" || len(in.URL) > 200) {
			return nil, strict.Refuse(100, "override_callback_uri needs verify_token and at most 200 characters")
		}
		w.subscribers[appID] = in.URL
	case http.MethodDelete:
		delete(w.subscribers, appID)
	default:
		return nil, strict.Refuse(100, "unsupported method")
	}
	return map[string]bool{"success": true}, nil
}

// writeRefusal answers in Meta's error form.
func (s *Server) writeRefusal(w http.ResponseWriter, ref *strict.Refusal) {
	if ref.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(ref.RetryAfter))
	}
	if ref.Usage != "" {
		w.Header().Set("X-Business-Use-Case-Usage",
			fmt.Sprintf(`{%q:[{"type":"whatsapp","call_count":100,"total_cputime":3,"total_time":3,"estimated_time_to_regain_access":60}]}`, ref.Usage))
	}
	class := whatsapp.Classify(ref.Code)
	s.mu.Lock()
	trace := fmt.Sprintf("SBX%s%d", s.boot, s.next())
	s.mu.Unlock()
	writeJSON(w, ref.HTTPStatus(), map[string]any{"error": map[string]any{
		"message": fmt.Sprintf("(#%d) %s", ref.Code, class.Title), "type": "OAuthException", "code": ref.Code, "fbtrace_id": trace,
		"error_data": map[string]string{"messaging_product": "whatsapp", "details": ref.Details},
	}})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
