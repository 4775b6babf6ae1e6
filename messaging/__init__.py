"""The talk: conversations, sending and receiving, what the lists show. States what it needs of a carrier in sms.py."""
