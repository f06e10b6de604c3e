package access

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/internal/id"
)

func (d *Desk) members() {
	front.Add(d.Front, "GET /v1/members", d.listMembers)
	front.Add(d.Front, "POST /v1/members", d.addMember)
	front.Add(d.Front, "GET /v1/members/{user}", d.getMember)
	front.Add(d.Front, "PATCH /v1/members/{user}", d.setRole)
	front.Add(d.Front, "DELETE /v1/members/{user}", d.removeMember)
}

func (d *Desk) listMembers(ctx context.Context, a accounts.Actor, in *listInput) (*front.List[accounts.Member], error) {
	p, err := d.Page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	after, err := front.AfterID[id.User](p)
	if err != nil {
		return nil, err
	}
	var members []accounts.Member
	err = d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		members, err = accounts.ListMembers(ctx, tx, a.Workspace, after, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return front.Listed(ctx, d.Front, a, p, members, func(m accounts.Member) string { return m.ID.String() }), nil
}

type addMemberInput struct {
	Body accounts.MemberRequest
}

func (d *Desk) addMember(ctx context.Context, a accounts.Actor, in *addMemberInput) (*front.Created[accounts.Member], error) {
	out := &front.Created[accounts.Member]{}
	err := d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.AddMember(ctx, tx, d.hasher, a, in.Body)
		return err
	})
	out.Location = "/v1/members/" + out.Body.ID.String()
	return out, err
}

// memberTag names the version of what can be edited of a member: the role.
func memberTag(m accounts.Member) string { return front.ETag([]any{m.ID, m.Role}) }

func (d *Desk) getMember(ctx context.Context, a accounts.Actor, in *memberInput) (*front.Versioned[accounts.Member], error) {
	return front.AnswerTagged(ctx, d.Front, a, memberTag, func(tx pgx.Tx) (accounts.Member, error) {
		return accounts.GetMember(ctx, tx, a.Workspace, in.User)
	})
}

type setRoleInput struct {
	User    id.User `path:"user"`
	IfMatch string  `header:"If-Match" doc:"The ETag of what was read"`
	Body    struct {
		Role accounts.Role `json:"role" enum:"owner,admin,marketer,viewer"`
	}
}

func (d *Desk) setRole(ctx context.Context, a accounts.Actor, in *setRoleInput) (*front.Versioned[accounts.Member], error) {
	return front.AnswerChange(ctx, d.Front, a, memberTag, in.IfMatch,
		func(tx pgx.Tx) (accounts.Member, error) { return accounts.LockMember(ctx, tx, a.Workspace, in.User) },
		func(tx pgx.Tx, _ accounts.Member) (accounts.Member, error) {
			return accounts.SetRole(ctx, tx, a, in.User, in.Body.Role)
		})
}

type memberInput struct {
	User id.User `path:"user"`
}

func (d *Desk) removeMember(ctx context.Context, a accounts.Actor, in *memberInput) (*front.Empty, error) {
	return nil, d.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return accounts.RemoveMember(ctx, tx, a, in.User)
	})
}
