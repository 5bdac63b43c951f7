package auth

// TakeEveryTurn takes all turns at hashing, as many sign-ins at once do.
func (u *Users) TakeEveryTurn() {
	for range cap(u.slots) {
		u.slots <- struct{}{}
	}
}

// Decoy is the hash that unknown e-mails are held against.
func (u *Users) Decoy() string { return u.decoy }
