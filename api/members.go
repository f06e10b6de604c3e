package api

import (
	"context"

	"github.com/jackc/pgx/v5"

	"bareed/accounts"
	"bareed/internal/id"
)

func (s *Server) members() {
	add(s, "GET /v1/members", s.listMembers)
	add(s, "POST /v1/members", s.addMember)
	add(s, "PATCH /v1/members/{user}", s.setRole)
	add(s, "DELETE /v1/members/{user}", s.removeMember)
}

func (s *Server) listMembers(ctx context.Context, a accounts.Actor, in *listInput) (*list[accounts.Member], error) {
	p, err := s.page(ctx, a, in.Paging)
	if err != nil {
		return nil, err
	}
	after, err := afterID[id.User](p)
	if err != nil {
		return nil, err
	}
	var members []accounts.Member
	err = s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		members, err = accounts.ListMembers(ctx, tx, a.Workspace, after, p.Limit+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, a, p, members, func(m accounts.Member) string { return m.ID.String() }), nil
}

type addMemberInput struct {
	Body accounts.MemberRequest
}

func (s *Server) addMember(ctx context.Context, a accounts.Actor, in *addMemberInput) (*created[accounts.Member], error) {
	out := &created[accounts.Member]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.AddMember(ctx, tx, s.Hasher, a, in.Body)
		return err
	})
	out.Location = "/v1/members/" + out.Body.ID.String()
	return out, err
}

type setRoleInput struct {
	User id.User `path:"user"`
	Body struct {
		Role accounts.Role `json:"role" enum:"owner,admin,marketer,viewer"`
	}
}

func (s *Server) setRole(ctx context.Context, a accounts.Actor, in *setRoleInput) (*reply[accounts.Member], error) {
	out := &reply[accounts.Member]{}
	err := s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) (err error) {
		out.Body, err = accounts.SetRole(ctx, tx, a, in.User, in.Body.Role)
		return err
	})
	return out, err
}

type memberInput struct {
	User id.User `path:"user"`
}

func (s *Server) removeMember(ctx context.Context, a accounts.Actor, in *memberInput) (*empty, error) {
	return nil, s.Pool.InWorkspace(ctx, a.Workspace, func(tx pgx.Tx) error {
		return accounts.RemoveMember(ctx, tx, a, in.User)
	})
}
