package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api"
	"bareed/internal/errs"
	"bareed/internal/fixture"
	"bareed/internal/id"
	"bareed/internal/pg/pgtest"
)

// matrix is two tenants, A and B, and who calls for them.
type matrix struct {
	*rig
	a, b    fixture.Tenant
	cookies map[accounts.Role]string // members of A
	owner   map[id.Workspace]string  // owners of A and of B
	keyB    string
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{rig: newRig(t), cookies: make(map[accounts.Role]string), owner: make(map[id.Workspace]string)}
	m.a, m.b = m.tenant, fixture.Workspace(t, m.pool, m.vault)
	for _, role := range accounts.Roles() {
		m.cookies[role] = m.session(t, role)
	}
	_, email := fixture.User(t, m.pool, m.hasher, m.b, accounts.Owner)
	m.owner[m.a.Workspace], m.owner[m.b.Workspace] = m.cookies[accounts.Owner], fixture.Session(t, m.pool, m.hasher, email)
	m.keyB = fixture.Key(t, m.pool, m.b, accounts.ScopeNames()...)
	return m
}

// guarded are the rows that want a credential of a workspace.
func guarded() []api.Row {
	var rows []api.Row
	for _, row := range api.TableRows() {
		if !row.Public && !row.Operator {
			rows = append(rows, row)
		}
	}
	return rows
}

// object makes what stands in a row's path, for the tenant.
func (m *matrix) object(t *testing.T, row api.Row, tenant fixture.Tenant) string {
	t.Helper()
	if row.Object == "" {
		return ""
	}
	return fixture.Object(t, m.pool, m.vault, tenant, row.Object)
}

// try calls a row about an object, with a body made for tenant.
func (m *matrix) try(t *testing.T, row api.Row, object string, tenant fixture.Tenant, who with) answer {
	t.Helper()
	var body any
	if make, ok := matrixBodies(t, m.rig, tenant)[row.Route]; ok {
		body = make()
	}
	return m.send(t, row, object, body, who)
}

func (m *matrix) send(t *testing.T, row api.Row, object string, body any, who with) answer {
	t.Helper()
	path := row.Path()
	for _, name := range pathParams(path) {
		value := object
		if name != row.Object {
			value = m.parent(t, name, object)
		}
		path = strings.Replace(path, "{"+name+"}", value, 1)
	}
	changes := []with{who, header("If-Match", "*")}
	if row.Key {
		changes = append(changes, header("Idempotency-Key", id.New[id.Request]().String()))
	}
	if special, ok := body.(matrixCall); ok {
		body = special.Body
		changes = append(changes, header("Content-Type", special.ContentType))
		if special.Query != "" {
			path += "?" + special.Query
		}
	}
	return m.call(t, row.Method(), path, body, changes...)
}

// parent is the object of A that stands before a row's own one in the path.
func (m *matrix) parent(t *testing.T, kind, object string) string {
	t.Helper()
	if kind == "campaign" {
		return fixture.CampaignOf(t, m.pool, m.a.Workspace, object)
	}
	return fixture.Object(t, m.pool, m.vault, m.a, kind)
}

func TestMatrixNobody(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, row := range guarded() {
		object := ""
		if row.Object != "" {
			object = fixture.RandomID(t, row.Object)
		}
		a := m.bare(t, row, object, asNobody())
		a.refused(t, 401, "auth.missing")
		if a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", row.Route)
		}
	}
	for _, row := range api.TableRows() {
		if row.Operator {
			path := strings.ReplaceAll(row.Path(), "*path", "")
			for name, who := range map[string]with{"nobody": asNobody(), "an owner": asSession(m.cookies[accounts.Owner]), "a key": asKey(m.key)} {
				if a := m.call(t, row.Method(), path, nil, who); a.Status != 404 {
					t.Errorf("%s by %s: status %d, want 404", row.Route, name, a.Status)
				}
			}
		}
	}
}

// bare calls a row without a body and with random parents.
func (m *matrix) bare(t *testing.T, row api.Row, object string, who with) answer {
	t.Helper()
	path := row.Path()
	for _, name := range pathParams(path) {
		value := object
		if name != row.Object {
			value = fixture.RandomID(t, name)
		}
		path = strings.Replace(path, "{"+name+"}", value, 1)
	}
	return m.call(t, row.Method(), path, nil, who)
}

func TestMatrixScopes(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, row := range guarded() {
		rule, _ := accounts.RuleOf(row.Action)
		if rule.Scope == accounts.AnyKey {
			continue
		}
		other := "audit:read"
		if rule.Scope == other {
			other = "reports:read"
		}
		object := ""
		if row.Object != "" {
			object = fixture.RandomID(t, row.Object)
		}
		a := m.bare(t, row, object, asKey(fixture.Key(t, m.pool, m.a, other)))
		if rule.Scope == "" {
			a.refused(t, 403, "auth.not_by_key")
			continue
		}
		if p := a.refused(t, 403, "auth.scope"); p.Detail != errs.Sentence("en", "auth.scope", errs.Params{"scope": rule.Scope}) {
			t.Errorf("%s: %s", row.Route, p.Detail)
		}
	}
}

// Every role gets what the table says: the row's status, or 403.
func TestMatrixRoles(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	for _, row := range guarded() {
		t.Run(row.Route, func(t *testing.T) {
			rule, _ := accounts.RuleOf(row.Action)
			for _, role := range accounts.Roles() {
				cookie := m.cookies[role]
				if row.Action == accounts.ReadSelf {
					cookie = m.session(t, role) // it may end
				}
				if !slices.Contains(rule.Roles, role) {
					m.bare(t, row, m.object(t, row, m.a), asSession(cookie)).refused(t, 403, "auth.role")
					continue
				}
				a := m.try(t, row, m.object(t, row, m.a), m.a, asSession(cookie))
				if a.Status != row.Status {
					t.Errorf("%s: status %d, want %d: %s", role, a.Status, row.Status, a.Body)
				}
			}
		})
	}
}

// What is A's answers B exactly like what does not exist, and nothing of A
// changes whatever B calls.
func TestMatrixIsolation(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	objects := make(map[string]string)
	bodies := make(map[string]any)
	for _, row := range guarded() {
		objects[row.Route] = m.object(t, row, m.a)
		if make, ok := matrixBodies(t, m.rig, m.a)[row.Route]; ok {
			bodies[row.Route] = make()
		}
	}
	before := m.picture(t, m.a.Workspace)
	for _, row := range guarded() {
		if row.Object == "" {
			continue
		}
		own := matrixBodies(t, m.rig, m.b)[row.Route]
		var body any
		if own != nil {
			body = own()
		}
		random := fixture.RandomID(t, row.Object)
		for name, who := range map[string]with{"owner": asSession(m.owner[m.b.Workspace]), "key": asKey(m.keyB)} {
			theirs := m.sendBare(t, row, objects[row.Route], body, who)
			nothing := m.sendBare(t, row, random, body, who)
			if neutral(theirs, objects[row.Route]) != neutral(nothing, random) {
				t.Errorf("%s by B's %s tells A's object from nothing:\n%s\n%s", row.Route, name, theirs.Body, nothing.Body)
			}
			if theirs.Status != 404 && (name != "key" || theirs.Status != 403) {
				t.Errorf("%s by B's %s: status %d, want 404: %s", row.Route, name, theirs.Status, theirs.Body)
			}
		}
	}
	m.foreignReferences(t, bodies)
	if after := m.picture(t, m.a.Workspace); after != before {
		t.Errorf("B's calls changed rows of A:\nbefore %s\nafter  %s", before, after)
	}
}

// sendBare is send without parents of A: B's own do as well, they are random.
func (m *matrix) sendBare(t *testing.T, row api.Row, object string, body any, who with) answer {
	t.Helper()
	for _, name := range pathParams(row.Path()) {
		if name != row.Object {
			row.Route = strings.Replace(row.Route, "{"+name+"}", fixture.RandomID(t, name), 1)
		}
	}
	return m.send(t, row, object, body, who)
}

var anyID = regexp.MustCompile(`(aud|cmp|con|imp|job|key|num|run|stp|tpl|usr|waba|wrd|app)_[0-9a-f]{32}`)

// foreignReferences sends bodies that name objects of A as B: they are refused
// like bodies that name nothing.
func (m *matrix) foreignReferences(t *testing.T, bodies map[string]any) {
	t.Helper()
	for _, row := range guarded() {
		body, ok := bodies[row.Route].(map[string]any)
		text := encode(t, body)
		if !ok || row.Object != "" || !anyID.MatchString(text) {
			continue
		}
		who := asSession(m.owner[m.b.Workspace])
		random := anyID.ReplaceAllStringFunc(text, func(s string) string {
			prefix, _, _ := strings.Cut(s, "_")
			return prefix + strings.TrimPrefix(id.New[id.Request]().String(), "req")
		})
		theirs, nothing := m.send(t, row, "", text, who), m.send(t, row, "", random, who)
		if theirs.Status < 400 || neutral(theirs, "") != neutral(nothing, "") {
			t.Errorf("%s: a body of A's ids is told from nothing:\n%s\n%s", row.Route, theirs.Body, nothing.Body)
		}
	}
}

// neutral is an answer without what differs by itself.
func neutral(a answer, object string) string {
	body := string(a.Body)
	body = strings.ReplaceAll(body, a.Header.Get("Request-Id"), "REQUEST")
	if object != "" {
		body = strings.ReplaceAll(body, object, "OBJECT")
	}
	body = anyID.ReplaceAllString(body, "ID")
	return fmt.Sprint(a.Status, " ", a.Header.Get("Content-Type"), " ", a.Header.Get("Allow"), " ", body)
}

const tablesOfWorkspaces = `
	select c.table_name
	from information_schema.columns c
	join information_schema.tables t using (table_schema, table_name)
	join pg_class k on k.relname = c.table_name
	where c.table_schema = 'public'
	  and c.column_name = 'workspace_id'
	  and not k.relispartition
	  and t.table_type = 'BASE TABLE'
	order by 1`

// picture is a hash of every row of the workspace, table by table.
func (m *matrix) picture(t *testing.T, ws id.Workspace) string {
	t.Helper()
	owner := pgtest.Owner(t, m.pool)
	rows, err := owner.Query(t.Context(), tablesOfWorkspaces)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	var b strings.Builder
	for _, table := range tables {
		var sum string
		sql := fmt.Sprintf(`select count(*) || ':' || coalesce(md5(string_agg(r::text, '|' order by r::text)), '') from %s r where workspace_id = $1`,
			pgx.Identifier{table}.Sanitize())
		if err := owner.QueryRow(t.Context(), sql, ws).Scan(&sum); err != nil {
			t.Fatal(table, err)
		}
		fmt.Fprintf(&b, "%s=%s ", table, sum)
	}
	return b.String()
}

func TestMatrixSuspended(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	fixture.In(t, m.pool, m.a.Workspace, func(tx pgx.Tx) error {
		return accounts.SetSuspended(t.Context(), tx, accounts.System(m.a.Workspace, "test"), true)
	})
	for _, row := range guarded() {
		if row.Open {
			continue
		}
		object := ""
		if row.Object != "" {
			object = fixture.RandomID(t, row.Object)
		}
		m.bare(t, row, object, asSession(m.cookies[accounts.Owner])).refused(t, http.StatusLocked, "workspace.suspended")
	}
	m.call(t, "GET", "/v1/me", nil, asKey(m.key)).ok(t, 200)
}

// GET changes nothing: the rows are the same before and after all of them. Only
// the audit may grow, by who read people's data.
func TestMatrixGetIsSafe(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	objects := make(map[string]string)
	for _, row := range guarded() {
		if !row.Writes() {
			objects[row.Route] = m.object(t, row, m.a)
		}
	}
	before := withoutAudit(m.picture(t, m.a.Workspace))
	for _, row := range guarded() {
		if !row.Writes() {
			m.sendBare(t, row, objects[row.Route], nil, asSession(m.cookies[accounts.Owner]))
		}
	}
	if after := withoutAudit(m.picture(t, m.a.Workspace)); after != before {
		t.Errorf("a GET changed rows:\nbefore %s\nafter  %s", before, after)
	}
}

var auditPart = regexp.MustCompile(`\baudit=\S+ `)

func withoutAudit(picture string) string { return auditPart.ReplaceAllString(picture, "") }
